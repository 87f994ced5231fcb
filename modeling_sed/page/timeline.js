// The cursor follows the player; clicks and keys on the timeline move the player.
// Everything listens at the document: gradio draws player and timeline anew for each recording.
(() => {
  const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }; // seconds
  let shown = null; // the timeline, and where its segments start: pairs of seconds and label
  let starts = [];
  const player = () => document.querySelector("#recording audio");

  function clock(seconds) {
    const tenths = Math.floor(seconds * 10 + 1e-6);
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
  }

  function draw() {
    if (!shown) return;
    const duration = Number(shown.dataset.duration);
    const seconds = Math.min(player()?.currentTime ?? 0, duration);
    const label = starts.findLast(([start]) => start <= seconds)?.[1] ?? "";
    const text = `${clock(seconds)} ${label}`;
    shown.querySelector(".cursor").style.left = `${(100 * seconds) / duration}%`;
    shown.setAttribute("aria-valuenow", seconds.toFixed(2));
    shown.setAttribute("aria-valuetext", text);
    document.querySelector("#result .position").textContent = text;
  }

  function follow() {
    draw();
    if (player() && !player().paused) requestAnimationFrame(follow);
  }

  function seek(seconds) {
    const audio = player();
    if (!audio) return;
    audio.currentTime = Math.min(Math.max(seconds, 0), Number(shown.dataset.duration));
    draw();
  }

  function seekToPointer(event) {
    if (!shown?.contains(event.target) || !(event.buttons & 1)) return;
    const { left, width } = shown.getBoundingClientRect();
    seek(((event.clientX - left) / width) * Number(shown.dataset.duration));
  }

  function pressKey(event) {
    const audio = player();
    if (event.target !== shown || !audio || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " ") audio.paused ? audio.play().catch(() => {}) : audio.pause();
    else if (event.key === "Home") seek(0);
    else if (event.key === "End") seek(Number(shown.dataset.duration));
    else if (event.key in STEPS) seek(audio.currentTime + STEPS[event.key]);
    else return;
    event.preventDefault();
  }

  document.addEventListener("play", follow, true); // events of players do not bubble
  for (const name of ["pause", "seeked", "timeupdate"]) document.addEventListener(name, draw, true);
  document.addEventListener("pointerdown", seekToPointer);
  document.addEventListener("pointermove", seekToPointer);
  document.addEventListener("keydown", pressKey);
  new MutationObserver(() => {
    const found = document.querySelector("#result .timeline");
    if (found === shown) return;
    shown = found;
    starts = found ? JSON.parse(found.dataset.starts) : [];
    draw();
  }).observe(document, { childList: true, subtree: true });
})();
