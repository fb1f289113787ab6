"""The plain Gradio way, for comparison: two sliders, a function, an image; all defaults.

python -m benchmarks.plain_demo 7999
"""

import sys

import gradio as gr
import numpy as np
import torch

from benchmarks.server import READY
from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, load_checkpoint


def main() -> None:
    model = load_checkpoint(DEFAULT_PATH).build_model()

    @torch.inference_mode()
    def draw(x: float, y: float) -> np.ndarray:
        return model.decode(torch.tensor([[float(x), float(y)]]))[0, 0].numpy()

    with gr.Blocks(analytics_enabled=False) as demo:
        x = gr.Slider(-4, 4, 0, step=0.05, elem_id="x-slider")
        y = gr.Slider(-4, 4, 0, step=0.05, elem_id="y-slider")
        picture = gr.Image(elem_id="digit")
        x.input(draw, [x, y], picture)
        y.input(draw, [x, y], picture)
    demo.launch(server_port=int(sys.argv[1]), quiet=True, prevent_thread_lock=True)
    print(READY, flush=True)
    demo.block_thread()


if __name__ == "__main__":
    main()
