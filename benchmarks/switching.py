"""How long the change from one model to another takes."""

from playwright.sync_api import Page

from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH

SWITCHES = 10
# From the choice to a map with its points and its first decoded image.
SWITCH = """async (key) => {
  const begun = performance.now();
  await latentSpace.models.choose(key);
  while (!document.querySelector('#latent-map[data-ready=true]')) {
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""


def switch_times(page: Page, switches: int = SWITCHES) -> list[float]:
    """Milliseconds of each change between the committed models, once the server holds both."""
    keys = [path.stem for path in (COMPARED_PATH, DEFAULT_PATH)]
    times = [float(page.evaluate(SWITCH, keys[i % 2])) for i in range(2 + switches)]
    return times[2:]
