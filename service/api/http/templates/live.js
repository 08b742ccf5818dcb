// Pages work without this. With it, what still changes is read again, an answer follows its form, and whoever comes back
// to a page that answered a form reads its address: without it a browser asks whether to send the form again.
const LATER = 2000;
const SOON = 250;

const left = document.querySelector("meta[name=left-as]");
if (left) history.replaceState(null, "", left.content);

async function renew(place, address) {
  if (place.contains(document.activeElement)) return;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = read.getElementById(place.id);
  if (fresh && fresh.outerHTML !== place.outerHTML) place.replaceWith(fresh);
}

setInterval(() => {
  if (document.hidden) return;
  for (const place of document.querySelectorAll("[data-live]")) renew(place, location.href).catch(() => {});
}, LATER);

for (const form of document.querySelectorAll("form[data-answer]")) {
  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      renew(document.getElementById(form.dataset.answer), address).catch(() => {});
    }, SOON);
  });
}
