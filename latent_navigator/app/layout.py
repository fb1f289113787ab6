"""The page as Gradio serves it: its head and its style."""

from typing import Any

import gradio as gr

from latent_navigator.app.data_routes import HashedFiles
from latent_navigator.app.model_files import ModelFiles
from latent_navigator.app.page_head import Head
from latent_navigator.app.web_files import STYLES, web_file

# In the head a <noscript> may hold styles alone.
NO_SCRIPT = (
    "<noscript><style>body::before { content: 'This page needs JavaScript. Allow it and reload; "
    "in a sandboxed frame, add allow-scripts and allow-same-origin.'; display: block; "
    "margin: 2rem; font: 1rem system-ui, sans-serif; }</style></noscript>"
)


def page_head(web: HashedFiles, data: ModelFiles) -> Head:
    """What the page's head begins with.

    The messages for a page that cannot start, the styles, and what is fetched at once: without
    this, a browser would find the page's script only when Gradio has started.

    Args:
        data: of the default model.
    """
    style, script = web_file("startup.css"), web_file("startup.js")
    modules = f'<link rel="modulepreload" href="{web.address("page.js")}">'
    # On a slow line the map comes first.
    files = "".join(
        f'<link rel="preload" href="{data.address(name)}" as="fetch" crossorigin '
        f'fetchpriority="{priority}">'
        for name, priority in (("encodings.bin", "high"), ("decoder.bin", "low"))
    )
    start = (
        f"<style>{style}</style><script>{script}</script>{NO_SCRIPT}"
        f'<link rel="stylesheet" href="{web.address(STYLES)}">'
    )
    return Head(named_model=start + modules, default_model=start + files + modules)


def theme() -> gr.themes.Base:
    """The page's theme; fonts of the system, so that no other host is asked."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return gr.themes.Base(
        primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["monospace"]
    )


def page_options() -> dict[str, Any]:
    """The options of Gradio that make the page look and behave as intended."""
    return {"theme": theme(), "footer_links": [], "run_history": False}
