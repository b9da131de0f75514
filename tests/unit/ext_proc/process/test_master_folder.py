import signal
import subprocess
import sys
from pathlib import Path

from ext_proc.process.master_folder import master_folder, remove_left

HOLDER = """
import sys
from ext_proc.process.master_folder import master_folder
with master_folder("plano-test-", place=sys.argv[1]) as folder:
    print(folder.path, flush=True)
    sys.stdin.read()
"""


def holder(place: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_closed_to_others_and_gone_at_the_end(tmp_path: Path) -> None:
    with master_folder("plano-test-", place=str(tmp_path)) as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
    assert not folder.path.exists()


def test_what_a_killed_master_left_is_removed_and_what_a_running_one_has_stays(tmp_path: Path) -> None:
    (killed, left), (running, kept) = holder(tmp_path), holder(tmp_path)
    strange = tmp_path / "plano-test-of-somebody"
    strange.mkdir()
    try:
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert left.exists()
        with master_folder("plano-test-", place=str(tmp_path)):
            assert (left.exists(), kept.exists(), strange.exists()) == (False, True, True)
    finally:
        running.communicate()
    assert not kept.exists()


def test_a_folder_stays_as_long_as_somebody_has_its_lock(tmp_path: Path) -> None:
    with master_folder("plano-test-", place=str(tmp_path)) as folder:
        # As a worker that outlives its master.
        user = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[folder.lock])
        left = tmp_path / "plano-test-left"
        folder.path.rename(left)
    remove_left("plano-test-", place=str(tmp_path))
    assert left.exists()
    user.communicate()
    remove_left("plano-test-", place=str(tmp_path))
    assert not left.exists()
