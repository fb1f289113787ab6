"""A demo.py that computes nothing before it is asked, and compresses what it sends in less time.

The machine is needed by the tests themselves.

python quiet_demo.py PATH_OF_DEMO OPTIONS...
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    from latent_navigator.app import startup
    from tests.forks.quick import compress_quickly

    startup.warm_up = lambda *_: None
    compress_quickly()
    runpy.run_path(sys.argv[0], run_name="__main__")
