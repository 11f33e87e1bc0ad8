// jsdom, dompurify: a document with scripts, events and timers; cleaned HTML
import { JSDOM } from "jsdom";
import createDOMPurify from "dompurify";

export const handler = async () => {
  const dom = new JSDOM(
    `<p id=a>x</p><script>document.getElementById("a").textContent = "y"; setTimeout(() => { document.title = "late"; }, 5)</script>`,
    { runScripts: "dangerously", url: "https://a.test/b" },
  );
  const { document, Event } = dom.window;
  let clicks = 0;
  document.body.addEventListener("click", () => clicks++);
  document.querySelector("p").dispatchEvent(new Event("click", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const told = [
    document.querySelector("#a").outerHTML,
    clicks,
    document.title,
    dom.window.location.href,
    createDOMPurify(new JSDOM("").window).sanitize("<img src=x onerror=alert(1)><b>ok</b>"),
  ];
  dom.window.close();
  return told;
};
