export const before = (event) => ({ trail: [...event.trail, "first.before"] });

export const after = (response) => ({ trail: [...response.trail, "first.after"] });
