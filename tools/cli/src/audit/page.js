(() => {
  const box = document.getElementById("search");
  const input = box.querySelector("input");
  const count = box.querySelector("output");
  const rows = [...document.querySelectorAll("[data-find]")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const find = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const holds = words.every((word) => texts[at].includes(word));
      row.hidden = !holds;
      shown += holds ? 1 : 0;
    });
    count.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  input.addEventListener("input", find);
  box.hidden = false;
  // A link to a proof shows it.
  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();
})();
