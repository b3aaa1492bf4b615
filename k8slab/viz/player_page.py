"""The page of a player: markup, style and script, with places for what it shows.

Rule of use: `player.page` fills the places in, `@@name@@`; everything works from the keyboard.

Upstream: none
"""

from __future__ import annotations

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@@title@@</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 'DejaVu Sans', Verdana, Geneva, sans-serif; max-width: 920px;
  margin: 0 auto; padding: 12px 16px; }
h1 { font-size: 20px; margin: 8px 0; }
.controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 10px 0; }
.controls input { flex: 1 1 240px; }
button { font: inherit; padding: 4px 12px; }
#caption { min-height: 3em; margin: 8px 0; }
pre { white-space: pre-wrap; font-size: 12px; }
</style>
</head>
<body>
<h1>@@title@@</h1>
<div class="controls" role="group" aria-label="Replay">
<button id="back" type="button" aria-keyshortcuts="ArrowLeft">Back</button>
<button id="play" type="button" aria-keyshortcuts="Space" aria-pressed="false">Play</button>
<button id="next" type="button" aria-keyshortcuts="ArrowRight">Next</button>
<label for="place">Frame</label>
<input id="place" type="range" min="0" max="@@last@@" value="@@last@@">
<output id="number" for="place">@@count@@ of @@count@@</output>
</div>
<p id="caption" role="status" aria-live="polite">@@caption@@</p>
<div id="picture">@@picture@@</div>
<details>
<summary>In words</summary>
<pre id="words">@@words@@</pre>
</details>
<script id="data" type="application/json">@@data@@</script>
<script>
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => document.body.setAttribute("data-jp-theme-light", String(!dark.matches));
  dark.addEventListener("change", theme);
  theme();
  const last = data.frames.length - 1;
  let at = 0;
  let timer = 0;
  function show(place) {
    at = Math.min(Math.max(place, 0), last);
    const frame = data.frames[at];
    get("picture").innerHTML = frame.parts.map((part) => data.parts[part]).join("");
    get("words").textContent = frame.lines.map((line) => data.lines[line]).join("\\n");
    get("caption").textContent = frame.caption;
    get("place").value = at;
    get("place").setAttribute("aria-valuetext", frame.caption);
    get("number").textContent = `${at + 1} of ${last + 1}`;
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    get("play").textContent = "Play";
    get("play").setAttribute("aria-pressed", "false");
  }
  function toggle() {
    if (timer) {
      stop();
      return;
    }
    if (at === last) show(0);
    get("play").textContent = "Pause";
    get("play").setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      show(at + 1);
      if (at === last) stop();
    }, @@interval@@);
  }
  function move(by) {
    stop();
    show(at + by);
  }
  get("back").addEventListener("click", () => move(-1));
  get("next").addEventListener("click", () => move(1));
  get("play").addEventListener("click", toggle);
  get("place").addEventListener("input", (event) => {
    stop();
    show(Number(event.target.value));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== document.body) return;  // what has the focus answers its own keys
    if (event.key === "ArrowLeft") move(-1);
    else if (event.key === "ArrowRight") move(1);
    else if (event.key === " ") {
      event.preventDefault();
      toggle();
    }
  });
  show(0);
})();
</script>
</body>
</html>
"""
