export const before = (event, context) => {
  if (event.deny) {
    context.reply({ trail: [...event.trail, "guard.reply"] });
  }
};

export const after = (response) => ({ trail: [...response.trail, "guard.after"] });
