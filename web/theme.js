// Gradio follows the system's preference; this switches the page by hand.
window.switchTheme = () => document.body.classList.toggle("dark");
