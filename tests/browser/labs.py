"""A page whose trainer waits at a gate, on the digits of the tests with a small model."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from latent_navigator.app.drain import Drain
from latent_navigator.app.lab_routes import LabAccess, lab_routes
from latent_navigator.app.layout import page_head
from latent_navigator.app.models import Models
from latent_navigator.app.server import build_blocks
from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.lab.lab import Lab
from latent_navigator.lab.supervisor import Supervisor
from tests.cli.small_trainer import write_program
from tests.forks import FORKED_PYTHON
from tests.server.stand_ins import in_loop, running_page

# After each snapshot the trainer waits until so many are allowed. The small model has as many
# dimensions as it is asked for.
GATED = """
    import time
    from dataclasses import replace
    from latent_navigator.training.progress import ProgressLog
    gate, moment, taken = Path({gate!r}), ProgressLog.moment, []
    def gated(self, *arguments, **options):
        moment(self, *arguments, **options)
        taken.append(1)
        while len(taken) >= int(gate.read_text() or "0"):
            time.sleep(0.01)
    ProgressLog.moment = gated
    command_line.VAEConfig = lambda latent_dim=2, **_: replace(SMALL, latent_dim=latent_dim)
"""
EVERYTHING = 1000
LOCAL = LabAccess(None, "127.0.0.1")


class Served(NamedTuple):
    """A page with a lab whose trainer waits at a gate."""

    address: str
    supervisor: Supervisor
    allow: Callable[[int], None]  # so many snapshots


@contextlib.contextmanager
def serve_lab(folder: Path, checkpoint: Checkpoint, access: LabAccess = LOCAL) -> Iterator[Served]:
    """The page of a checkpoint, with a lab that trains into this folder."""
    gate = folder / "gate"

    def allow(count: int) -> None:
        whole = gate.with_suffix(".new")
        whole.write_text(str(count))
        whole.replace(gate)

    allow(1)
    program = write_program(folder, GATED.format(gate=str(gate)))
    supervisor = Supervisor(folder / "runs", [*FORKED_PYTHON, str(program)], threads=1)
    supervisor.speed.recorded(1000.0)
    routes = lab_routes(Lab(supervisor, folder), access)
    default = folder / "default.pt"
    save_checkpoint(default, checkpoint)
    blocks, files = in_loop(lambda: build_blocks(Models([default], [folder / "runs"])))
    head = page_head(*files)
    with running_page(blocks, Drain(), files=files, routes=routes, head=head) as (_, address):
        try:
            yield Served(address, supervisor, allow)
        finally:
            allow(EVERYTHING)
            supervisor.close()
