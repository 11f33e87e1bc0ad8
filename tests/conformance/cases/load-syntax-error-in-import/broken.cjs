exports.fine = 1;

exports.broken = ;
