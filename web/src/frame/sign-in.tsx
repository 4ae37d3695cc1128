import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { post } from "../api.ts";
import { me } from "../queries.ts";
import { useView } from "../router.tsx";
import { Logo } from "./logo.tsx";

/** `problem`: why a one-use link did not work. */
export function SignIn({ problem }: { readonly problem: string | null }) {
  const heading = useView("Sign in");
  const client = useQueryClient();
  const login = useMutation({
    mutationFn: (body: { username: string; password: string }) => post("/auth/login", body),
    onSuccess: () => client.resetQueries({ queryKey: me.queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    login.mutate({ username: text(fields, "username"), password: text(fields, "password") });
  };
  const refused = login.error?.message ?? problem;
  return (
    <main className="alone">
      <form onSubmit={submit} className="panel sign-in" aria-labelledby="sign-in">
        <Stack gap="md">
          <Logo />
          <Title order={1} id="sign-in" ref={heading} tabIndex={-1}>
            Sign in
          </Title>
          {refused !== null && (
            <Alert color="red" variant="light" role="alert" title="That did not work" className="failure">
              {refused}
            </Alert>
          )}
          <TextInput label="User name" name="username" autoComplete="username" required withAsterisk={false} />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            visibilityToggleButtonProps={{ "aria-label": "Show or hide the password", tabIndex: 0 }}
          />
          <Button type="submit" loading={login.isPending}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            No account yet? Ask who runs this server: <code>earshot users add</code> makes one, and the demo prints a
            one-use link.
          </Text>
        </Stack>
      </form>
    </main>
  );
}

function text(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
