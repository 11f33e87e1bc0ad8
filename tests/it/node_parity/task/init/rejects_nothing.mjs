await Promise.reject();
