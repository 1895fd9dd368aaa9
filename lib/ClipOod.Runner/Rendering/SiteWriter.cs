using System.Reflection;
using System.Text;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>Writes the site of a run: static pages that work from the file system without a network.</summary>
public static class SiteWriter
{
    private static readonly string[] _assets = ["site.css", "site.js"];

    /// <summary>
    /// Writes <c>index.html</c>, a page per notebook and their assets. The site is built beside its folder and swapped in
    /// when complete: on an exception the former site is still there, whole.
    /// </summary>
    /// <param name="siteFolder">The folder of the site; replaced with all that is in it.</param>
    /// <param name="runs">The notebooks, in the order in which they are to be read.</param>
    /// <param name="options">What the site says of itself.</param>
    /// <exception cref="ArgumentException">Two notebooks have the same id, or one is named <c>index</c>.</exception>
    /// <exception cref="IOException">The site cannot be written.</exception>
    public static void Write(string siteFolder, IReadOnlyList<NotebookRun> runs, SiteOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(siteFolder);
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(options);
        string? clash = runs.Select(run => run.Id).Append("index").GroupBy(id => id, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1).Select(group => group.Key).FirstOrDefault();
        if (clash is not null)
        {
            throw new ArgumentException($"Two pages would be named {clash}.html: give the notebooks different names, none of them index.", nameof(runs));
        }

        string site = Path.TrimEndingDirectorySeparator(Path.GetFullPath(siteFolder));
        string unique = Guid.NewGuid().ToString("N");
        string built = $"{site}.{unique}.new";
        try
        {
            Build(built, runs, options);
            Swap(site, built, $"{site}.{unique}.old");
        }
        finally
        {
            DeleteIfThere(built);
        }
    }

    private static void Build(string folder, IReadOnlyList<NotebookRun> runs, SiteOptions options)
    {
        string assets = Directory.CreateDirectory(Path.Combine(folder, "assets")).FullName;
        foreach (string name in _assets)
        {
            using Stream asset = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
            WriteTo(Path.Combine(assets, name), asset);
        }

        bool charts = false;
        for (int i = 0; i < runs.Count; i++)
        {
            string page = new NotebookPage(runs, i, options).ToHtml();
            charts |= PlotlyScript.IsUsedBy(page);
            WriteText(runs[i].Id + ".html", page);
        }

        WriteText("index.html", IndexPage.ToHtml(runs, options));
        if (charts)
        {
            using Stream plotly = PlotlyScript.Open();
            WriteTo(Path.Combine(assets, "plotly.min.js"), plotly);
        }

        void WriteText(string name, string text) =>
            File.WriteAllText(Path.Combine(folder, name), text.ReplaceLineEndings("\n"), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static void WriteTo(string path, Stream content)
    {
        using FileStream file = File.Create(path);
        content.CopyTo(file);
    }

    private static void Swap(string site, string built, string old)
    {
        if (Directory.Exists(site))
        {
            Directory.Move(site, old);
        }

        try
        {
            Directory.Move(built, site);
        }
        catch
        {
            if (Directory.Exists(old))
            {
                Directory.Move(old, site);
            }

            throw;
        }

        DeleteIfThere(old);
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
