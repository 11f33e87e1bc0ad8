// graphql-request: queries with variables, errors
import { GraphQLClient, gql } from "graphql-request";

export const handler = async () => {
  const client = new GraphQLClient(`${process.env.API_URL}/graph`);
  const found = await client.request(
    gql`
      query pet($id: ID!) {
        pet(id: $id) {
          id
          name
        }
      }
    `,
    { id: "7" },
  );
  const failed = await client
    .request(gql`
      {
        missing
      }
    `)
    .catch((error) => error.response.errors[0].message);
  return [found, failed];
};
