// handlebars, mustache, ejs, pug, nunjucks: templates with helpers, partials, loops
import Handlebars from "handlebars";
import Mustache from "mustache";
import * as ejs from "ejs";
import pug from "pug";
import nunjucks from "nunjucks";

const data = { name: "<Ann>", pets: ["Rex", "Tom"] };

export const handler = async () => {
  Handlebars.registerHelper("loud", (text) => text.toUpperCase());
  Handlebars.registerPartial("pet", "[{{this}}]");
  const render = ejs.render ?? ejs.default.render;
  return [
    Handlebars.compile("{{loud name}} {{#each pets}}{{> pet}}{{/each}}")(data),
    Mustache.render("{{name}} {{#pets}}{{.}} {{/pets}}", data),
    await render("<%= name %> <% for (const pet of pets) { %><%- pet %><% } %>", data, { async: true }),
    pug.render("p= name\nul\n  each pet in pets\n    li= pet", data),
    nunjucks.renderString("{{ name | escape }} {% for p in pets %}{{ loop.index }}{{ p }}{% endfor %}", data),
  ];
};
