/** What a process of some roles does not serve: it is registered all the same, and answered with where to find it. */
import { nameRoles } from "../core/process-roles.ts";
import type { ProcessRole, ProcessRoles } from "../core/process-roles.ts";
import { AppError } from "../errors.ts";
import type { App } from "./deps.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Absent: every process serves it. */
    servedBy?: ProcessRole;
  }
}

/** Routes that are registered within the answered function belong to a role. Before other hooks that refuse. */
export function useProcessRoles(app: App, roles: ProcessRoles): (role: ProcessRole, register: () => void) => void {
  let current: ProcessRole | null = null;
  app.addHook("onRoute", (route) => {
    if (current !== null) route.config = { ...route.config, servedBy: current };
  });
  app.addHook("onRequest", (request, _reply, done) => {
    const { servedBy } = request.routeOptions.config;
    if (servedBy === undefined || roles.has(servedBy)) {
      done();
      return;
    }
    const detail = `This process has ${nameRoles(roles)}; processes with the role ${servedBy} serve this address`;
    done(new AppError("not_found", detail));
  });
  return (role, register) => {
    current = role;
    register();
    current = null;
  };
}
