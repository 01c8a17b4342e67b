import openapiTypeScript, { astToString, COMMENT_HEADER } from 'openapi-typescript';

/**
 * @param document an OpenAPI 3.1 document, as JSON text
 * @returns the types of its paths, as a TypeScript module
 */
export async function generateTypes(document: string): Promise<string> {
  return COMMENT_HEADER + astToString(await openapiTypeScript(document));
}
