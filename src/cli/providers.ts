/** The schemes that the command knows, whether or not a reference uses them. */
export const knownSchemes: readonly string[] = ["env", "dotenv"];
