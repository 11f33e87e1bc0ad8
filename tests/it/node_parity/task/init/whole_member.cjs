module.exports = async () => "whole module";
module.exports.handler = async () => "member of the whole";
