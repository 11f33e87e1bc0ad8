export const before = (event) => ({ trail: [...event.trail, "second.before"] });

export const after = (response) => ({ trail: [...response.trail, "second.after"] });
