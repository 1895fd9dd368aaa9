using System.Reflection;

namespace ClipOod.Runner.Rendering;

/// <summary>plotly.js as Plotly.NET carries it, so that charts and script are of one version and nothing is downloaded.</summary>
internal static class PlotlyScript
{
    /// <summary>Whether a piece of HTML draws with the global <c>Plotly</c>.</summary>
    public static bool IsUsedBy(string html) =>
        html.Contains("Plotly.newPlot(", StringComparison.Ordinal) || html.Contains("Plotly.react(", StringComparison.Ordinal);

    /// <summary>Opens the script's text.</summary>
    /// <exception cref="InvalidOperationException">Plotly.NET carries no plotly.js any more.</exception>
    public static Stream Open()
    {
        Assembly assembly = typeof(Plotly.NET.Chart).Assembly;
        string[] names = assembly.GetManifestResourceNames();
        string name = names.FirstOrDefault(name => name.Contains("plotly", StringComparison.Ordinal) && name.EndsWith(".min.js", StringComparison.Ordinal))
            ?? throw new InvalidOperationException(
                $"{assembly.GetName()} carries no plotly.js: its resources are [{string.Join(", ", names)}]. Pin a version of Plotly.NET that does.");
        return assembly.GetManifestResourceStream(name)!;
    }
}
