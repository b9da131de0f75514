"""`python -m ext_proc`."""

from ext_proc.cli import main

if __name__ == "__main__":
    main()
