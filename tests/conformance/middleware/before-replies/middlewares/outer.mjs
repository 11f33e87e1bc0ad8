export const before = (event) => ({ ...event, trail: [...event.trail, "outer.before"] });

export const after = (response) => ({ trail: [...response.trail, "outer.after"] });
