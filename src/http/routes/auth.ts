import { who, credentialOf, EVERYBODY, PUBLIC, setSession } from "../auth.ts";
import { SMALL_BODY_BYTES } from "../body.ts";
import type { App, RouteContext } from "../deps.ts";
import { presentUser } from "../present.ts";
import { LoginBody, SignInBody } from "../inputs.ts";
import { answer, NO_CONTENT, ref } from "../schema.ts";
import type { Session } from "../../services/access.ts";
import { Type } from "typebox";

function presentSession(session: Session) {
  return {
    access_token: session.token,
    token_type: "bearer",
    expires_in: session.expires_in,
    user_info: presentUser(session.principal),
  };
}

export function authRoutes(app: App, { access }: RouteContext): void {
  const session = answer("Signed in; browsers get a session cookie as well", ref("Session"));

  app.post(
    "/auth/login",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: PUBLIC },
      schema: {
        tags: ["access"],
        summary: "Sign in with user name and password",
        body: LoginBody,
        response: { 200: session },
      },
    },
    async (request, reply) => {
      const opened = await access.login({ ...request.body, address: request.ip });
      setSession(request, reply, opened);
      void reply.header("cache-control", "no-store");
      return reply.send(presentSession(opened));
    },
  );

  app.post(
    "/auth/session",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: PUBLIC },
      schema: {
        tags: ["access"],
        summary: "Sign in with the token of a one-use link",
        body: SignInBody,
        response: { 200: session },
      },
    },
    async (request, reply) => {
      const opened = await access.signIn({ token: request.body.token, address: request.ip });
      setSession(request, reply, opened);
      void reply.header("cache-control", "no-store");
      return reply.send(presentSession(opened));
    },
  );

  app.post(
    "/auth/logout",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: EVERYBODY },
      schema: {
        tags: ["access"],
        summary: "End this session",
        description: "Clears the cookie and refuses the token from now on; keys stay valid.",
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const credential = credentialOf(request);
      if (credential !== null) access.logout(credential.value);
      setSession(request, reply, null);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/auth/ticket",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: EVERYBODY },
      schema: {
        tags: ["access"],
        summary: "A ticket for one WebSocket connection",
        description: "For browsers, which cannot send headers with a socket: connect with ?ticket=… within 30 seconds.",
        response: {
          200: answer(
            "Valid once",
            Type.Object({ ticket: Type.String(), expires_in: Type.Integer() }, { additionalProperties: false }),
          ),
        },
      },
    },
    async (request, reply) => {
      void reply.header("cache-control", "no-store");
      return reply.send(await access.ticket(who(request)));
    },
  );

  app.get(
    "/auth/me",
    {
      config: { access: EVERYBODY },
      schema: { tags: ["access"], summary: "Who these credentials are", response: { 200: answer("You", ref("User")) } },
    },
    async (request, reply) => reply.send(presentUser(who(request))),
  );
}
