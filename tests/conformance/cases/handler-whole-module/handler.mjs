export default (event) => event * event;
