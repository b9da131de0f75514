from control_plane import ir
from control_plane.xds import api
from control_plane.xds.cluster.outlier_detection import build_outlier_detection


def test_silence_counts_as_an_error() -> None:
    built = build_outlier_detection(ir.OutlierDetection(consecutive_errors=5, ejection_seconds=10, max_ejection_percent=50))
    assert (built.consecutive_5xx, built.consecutive_gateway_failure) == (5, 5)
    assert built.split_external_local_origin_errors is False
    assert built.max_ejection_time == built.base_ejection_time == api.duration(10)
