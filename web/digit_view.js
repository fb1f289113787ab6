// The digit at the current position and what is known there. One request is in flight at a time;
// when it returns, the newest position is asked for, so that a stale answer is never painted last.
const space = window.latentSpace;
const view = element.querySelector(".view");
const context = element.querySelector(".picture").getContext("2d");
const find = (name) => element.querySelector(name);
const shares = find(".shares");
const frame = new ImageData(28, 28);

props.names.forEach((name, digit) => {
  const item = document.createElement("li");
  item.innerHTML = '<span class="bar"></span><span class="name"></span>';
  item.querySelector(".name").textContent = name;
  item.style.setProperty("--bar", props.palette[digit]);
  shares.append(item);
});

const signed = (v) => v.toFixed(3).replace("-", "−");

function paint(pixels) {
  for (let i = 0; i < 784; i++) {
    frame.data[4 * i] = frame.data[4 * i + 1] = frame.data[4 * i + 2] = pixels.charCodeAt(i);
    frame.data[4 * i + 3] = 255;
  }
  context.putImageData(frame, 0, 0);
}

function tell(answer) {
  find(".verdict").textContent = answer.verdict;
  find(".depth").textContent = answer.depth;
  answer.shares.forEach((share, digit) => {
    const item = shares.children[digit];
    item.classList.toggle("some", share >= 0.05);
    item.title = `${props.names[digit]}: ${Math.round(100 * share)} %`;
    item.querySelector(".bar").style.height = `${Math.round(48 * share)}px`;
  });
}

let asking = false;
let wanted = null;
async function ask() {
  if (asking) return;
  asking = true;
  while (wanted) {
    const { x, y } = wanted;
    wanted = null;
    try {
      const answer = await server.look(x, y);
      paint(atob(answer.pixels));
      tell(answer);
      view.dataset.state = "shown";
      view.dataset.x = x;
      view.dataset.y = y;
    } catch (error) {
      view.dataset.state = "failed";
      find(".verdict").textContent = "The server does not answer. Move again to retry.";
    }
  }
  asking = false;
}

space.subscribe((z, source) => {
  if (source === "paths") return;
  find(".x").textContent = signed(z.x);
  find(".y").textContent = signed(z.y);
  wanted = z;
  ask();
});
