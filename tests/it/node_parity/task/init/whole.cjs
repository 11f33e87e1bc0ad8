module.exports = async () => "whole module";
