"""The baseline of benchmarks/page_speed.py: two sliders, one function, one image, all defaults.

python -m benchmarks.plain_demo 7999
"""

import sys

import gradio as gr
import numpy as np
import numpy.typing as npt
import torch

from benchmarks.server import READY
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.pretrained import DEFAULT_PATH


def main() -> None:
    """Serve the page on the port given as the only argument."""
    model = load_checkpoint(DEFAULT_PATH).build_model()

    @torch.inference_mode()
    def decode(x: float, y: float) -> npt.NDArray[np.float32]:
        z = torch.tensor([[float(x), float(y)]])  # (1, 2)
        image: npt.NDArray[np.float32] = model.decode(z)[0, 0].numpy()  # (28, 28)
        return image

    with gr.Blocks(analytics_enabled=False) as demo:
        x = gr.Slider(-4, 4, 0, step=0.05, elem_id="x-slider")
        y = gr.Slider(-4, 4, 0, step=0.05, elem_id="y-slider")
        image = gr.Image(elem_id="digit")
        x.input(decode, [x, y], image)
        y.input(decode, [x, y], image)
    demo.launch(server_port=int(sys.argv[1]), quiet=True, prevent_thread_lock=True)
    print(READY, flush=True)
    demo.block_thread()


if __name__ == "__main__":
    main()
