"""The page as a whole: what is on it, what links keep of it, and its style."""

from typing import Any

import gradio as gr

from latent_navigator.app.components import (
    PALETTE,
    web_file,
)
from latent_navigator.app.controls import Control, controls_json
from latent_navigator.app.instrument import Instrument, build_instrument
from latent_navigator.app.model_card import describe_model, page_text
from latent_navigator.app.tabs import (
    build_directions,
    build_drawing,
    build_lessons,
    build_paths,
    build_replay,
)
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import LatentSpace


def build_page(page: gr.Blocks, space: LatentSpace, others: dict[str, Checkpoint]) -> Instrument:
    """All of the page.

    Args:
        page: the blocks that are being built, within their `with`.
        space: the model that the page explores.
        others: by label, models whose training can be compared with its own.
    """
    checkpoint, info = space.checkpoint, space.info
    gr.HTML(page_text("heading.html", checkpoint), elem_id="heading")
    instrument = build_instrument(space)
    with gr.Tabs():
        with gr.Tab("Paths"):
            controls = build_paths(space, instrument)
        with gr.Tab("Directions"):
            build_directions(space)
        with gr.Tab(f"Your {info.item}"):
            build_drawing(space)
        with gr.Tab("How it was learned"):
            build_replay({checkpoint.label: checkpoint} | others)
        with gr.Tab("Lessons"):
            build_lessons(space)
        with gr.Tab("How VAEs work"):
            gr.Markdown(page_text("how_vaes_work.md", checkpoint), elem_classes="reading")
        with gr.Tab("This model"):
            gr.Markdown(describe_model(checkpoint), elem_classes="reading")
    link_controls(page, controls)
    return instrument


def link_controls(page: gr.Blocks, controls: list[Control]) -> None:
    """Keep the controls' values in the page's address, and restore them from it."""
    components: list[Any] = [control.component for control in controls]
    page.load(
        None,
        components,
        components,
        js=f"(...values) => latentSpace.restoreControls({controls_json(controls)}, values)",
    )
    gr.on(
        [component.change for component in components],
        None,
        components,
        js="(...values) => { latentSpace.setControls(values); return []; }",
    )


# In the head a <noscript> may hold styles alone.
NO_SCRIPT = (
    "<noscript><style>body::before { content: 'This page needs JavaScript. Allow it and reload; "
    "in a sandboxed frame, add allow-scripts and allow-same-origin.'; display: block; "
    "margin: 2rem; font: 1rem system-ui, sans-serif; }</style></noscript>"
)


def startup_head() -> str:
    """What the page's head begins with: the messages for a page that cannot start."""
    style, script = web_file("startup.css"), web_file("startup.js")
    return f"<style>{style}</style><script>{script}</script>{NO_SCRIPT}"


def theme() -> gr.themes.Base:
    """The page's theme; fonts of the system, so that no other host is asked."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return gr.themes.Base(
        primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["monospace"]
    ).set(
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
        button_border_width="1px",
        button_large_radius="10px",
        button_large_text_size="15px",
    )


def page_options() -> dict[str, Any]:
    """The options of Gradio that make the page look and behave as intended."""
    scripts = ("position.js", "map_view.js", "live_decoder.js", "theme.js", "path_styles.js")
    script = "".join(map(web_file, scripts))
    tints = "".join(f"#jump-{d} {{ --digit: {c}; }}\n" for d, c in enumerate(PALETTE))
    return {
        "theme": theme(),
        "css": web_file("page.css") + tints,
        "head": f"<script>{script}</script>",
        "footer_links": ["api"],
        "run_history": False,
    }
