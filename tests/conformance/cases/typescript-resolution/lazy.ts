export default "lazy" as string;
