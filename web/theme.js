// Gradio follows the system's colour scheme; this overrides it.
window.switchTheme = () => document.body.classList.toggle("dark");
