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

    startup.warm_up = lambda *_: None
    # By its path: the program may be a copy without tests.
    runpy.run_path(str(Path(__file__).with_name("quick.py")))["compress_quickly"]()
    runpy.run_path(sys.argv[0], run_name="__main__")
