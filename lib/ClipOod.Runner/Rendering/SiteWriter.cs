using System.Reflection;
using System.Text;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>Writes the site of a run: static pages that work from the file system without a network.</summary>
internal static class SiteWriter
{
    private const int MostSwaps = 10;

    private static readonly string[] _assets = ["site.css", "site.js"];

    /// <summary>
    /// Writes <c>index.html</c>, a page per notebook and their assets. The site is built beside its folder and swapped in
    /// when complete: on an exception the former site is still there, whole.
    /// </summary>
    /// <param name="siteFolder">The folder of the site; a former site there is replaced with all that is in it, so check <see cref="RequireWritable"/> first.</param>
    /// <param name="runs">The notebooks, in the order in which they are to be read.</param>
    /// <param name="options">What the site says of itself.</param>
    /// <exception cref="InvalidDataException">Two notebooks have the same id, or one is named <c>index</c>.</exception>
    /// <exception cref="IOException">The site cannot be written.</exception>
    public static void Write(string siteFolder, IReadOnlyList<NotebookRun> runs, SiteOptions options)
    {
        RequireDistinct(runs.Select(run => run.Id));
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

    /// <summary>Writes a single page as <c>index.html</c> with its assets.</summary>
    /// <param name="folder">Its folder; files of these names are replaced.</param>
    /// <param name="page">The page.</param>
    public static void WritePage(string folder, string page)
    {
        WriteAssets(folder, PlotlyScript.IsUsedBy(page));
        WriteText(folder, "index.html", page);
    }

    /// <summary>Checks, before anything is run, that a site can be written.</summary>
    /// <param name="siteFolder">The folder of the site.</param>
    /// <param name="ids">The notebooks' ids.</param>
    /// <exception cref="InvalidDataException">Two notebooks have the same id, or one is named <c>index</c>.</exception>
    /// <exception cref="IOException">The folder cannot be made, is a file, or holds something other than a site.</exception>
    public static void RequireWritable(string siteFolder, IEnumerable<string> ids)
    {
        RequireDistinct(ids);
        siteFolder = Path.GetFullPath(siteFolder);
        for (string? folder = siteFolder; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(folder))
            {
                throw new IOException($"The site cannot be written to {siteFolder}: {folder} is a file, expected a folder. Name another folder.");
            }
        }

        // The site is built beside its folder, so it is there that folders must be possible.
        string probe = $"{Path.TrimEndingDirectorySeparator(siteFolder)}.{Guid.NewGuid():N}.new";
        try
        {
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The site cannot be written to {siteFolder}: {e.Message} Name another folder.", e);
        }

        // Replacing a folder deletes it: whose files these are is known only of a site.
        bool isSite = _assets.All(name => File.Exists(Path.Combine(siteFolder, "assets", name)));
        if (!isSite && Directory.Exists(siteFolder) && Directory.EnumerateFileSystemEntries(siteFolder).Any())
        {
            throw new IOException($"The site cannot be written to {siteFolder}: the folder holds other files, which would be deleted. Name an empty or a new folder.");
        }
    }

    private static void RequireDistinct(IEnumerable<string> ids)
    {
        string? clash = ids.Append("index").GroupBy(id => id, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1).Select(group => group.Key).FirstOrDefault();
        if (clash is not null)
        {
            throw new InvalidDataException($"Two pages would be named {clash}.html: give the notebooks different names, none of them index.");
        }
    }

    private static void Build(string folder, IReadOnlyList<NotebookRun> runs, SiteOptions options)
    {
        Directory.CreateDirectory(folder);
        bool charts = false;
        for (int i = 0; i < runs.Count; i++)
        {
            string page = new NotebookPage(runs, i, options).ToHtml();
            charts |= PlotlyScript.IsUsedBy(page);
            WriteText(folder, runs[i].Id + ".html", page);
        }

        WriteText(folder, "index.html", IndexPage.ToHtml(runs, options));
        WriteAssets(folder, charts);
    }

    private static void WriteAssets(string folder, bool charts)
    {
        string assets = Directory.CreateDirectory(Path.Combine(folder, "assets")).FullName;
        foreach (string name in _assets)
        {
            using Stream asset = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
            WriteTo(Path.Combine(assets, name), asset);
        }

        if (charts)
        {
            using Stream plotly = PlotlyScript.Open();
            WriteTo(Path.Combine(assets, "plotly.min.js"), plotly);
        }
    }

    private static void WriteText(string folder, string name, string text) =>
        File.WriteAllText(Path.Combine(folder, name), text.ReplaceLineEndings("\n"), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));

    private static void WriteTo(string path, Stream content)
    {
        using FileStream file = File.Create(path);
        content.CopyTo(file);
    }

    // Another run may put its site there in the meantime; then that one is the former site.
    private static void Swap(string site, string built, string old)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (Directory.Exists(site))
                {
                    Directory.Move(site, old);
                }

                Directory.Move(built, site);
                DeleteIfThere(old);
                return;
            }
            catch
            {
                if (!Directory.Exists(site) && Directory.Exists(old))
                {
                    Directory.Move(old, site);
                }

                DeleteIfThere(old);
                if (attempt == MostSwaps)
                {
                    throw;
                }
            }
        }
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
