import { createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 7 },
  // Mantine's dark greys, turned to the blue-grey of the page.
  colors: {
    dark: [
      "#e4e8ee",
      "#c5ccd6",
      "#9ba6b4",
      "#6e7988",
      "#3a424e",
      "#2d343e",
      "#222831",
      "#1a1e25",
      "#15191f",
      "#12151a",
    ],
  },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: { fontWeight: "620", sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1rem" } } },
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
});
