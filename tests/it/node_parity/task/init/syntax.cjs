exports.handler = async () => {
  const a = ];
};
