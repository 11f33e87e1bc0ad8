export const dynamic = "force-dynamic";

export default function Failure() {
  throw new Error("an error of the application");
}
