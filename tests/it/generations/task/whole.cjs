module.exports = async () => "whole";
