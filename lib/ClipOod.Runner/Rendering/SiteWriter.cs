using System.Diagnostics;
using System.Reflection;
using System.Text;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>Writes the site of a run: static pages that work from the file system without a network.</summary>
internal static class SiteWriter
{
    private const string LockName = ".lock";

    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(1);

    private static readonly string[] _assets = ["site.css", "site.js"];

    /// <summary>The files in <c>assets</c>.</summary>
    public static IReadOnlyList<string> Assets { get; } = [.. _assets, "plotly.min.js"];

    /// <summary>
    /// Brings a site up to date with a run: a page per notebook in the folder of its world, a page beside it for a run
    /// with parameters, and what the other pages and the indexes say of them. All other files stay as they are. Everything
    /// is made beside the site and moved in when complete, page by page, the manifest last: on an exception while it is
    /// made the former site is there, whole.
    /// </summary>
    /// <param name="siteFolder">The folder of the site; check <see cref="RequireWritable"/> first.</param>
    /// <param name="runs">The notebooks. One that was not run gets a page only where there is none yet.</param>
    /// <param name="options">What the site says of itself.</param>
    /// <param name="removeOthers">Whether pages of this world whose notebook is not among <paramref name="runs"/> are removed: theirs is gone.</param>
    /// <returns>The pages of the notebooks that were run.</returns>
    /// <exception cref="InvalidDataException">Two notebooks have the same id, one is named <c>index</c>, or the site's manifest is broken.</exception>
    /// <exception cref="IOException">The site cannot be written.</exception>
    public static IReadOnlyList<string> Write(string siteFolder, IReadOnlyList<NotebookRun> runs, SiteOptions options, bool removeOthers = false)
    {
        RequireDistinct(runs.Select(run => SitePage.Of(run).File));
        string site = Path.TrimEndingDirectorySeparator(Path.GetFullPath(siteFolder));
        string built = $"{site}.{Guid.NewGuid():N}.new";
        Directory.CreateDirectory(site);
        using FileStream _ = Lock(site);
        try
        {
            SiteManifest former = SiteManifest.Load(site);
            SiteWorld world = former.World(options.World) with { Description = options.WorldDescription };
            if (removeOthers)
            {
                world = world with { Pages = [.. world.Pages.Where(page => runs.Any(run => run.Id == page.Id))] };
            }

            NotebookRun[] shown = [.. runs.Where(run => run.State != RunState.NotRun || !world.Plain.Any(page => page.Id == run.Id && page.IsRun))];
            SiteManifest now = former.With(shown.Aggregate(world, (changed, run) => changed.With(SitePage.Of(run))));
            RequireOwn(site, former, now.Files());
            Build(built, site, shown, now, options);
            MoveInto(site, built);
            foreach (string file in former.Files().Except(now.Files()))
            {
                File.Delete(Path.Combine(site, file));
            }

            string folder = Path.Combine(site, world.Folder);
            return [.. shown.Select(SitePage.Of).Where(page => page.IsRun).Select(page => Path.Combine(folder, page.File))];
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
    /// <param name="world">The world that they will run in; empty for none.</param>
    /// <exception cref="InvalidDataException">Two notebooks have the same id, one is named <c>index</c>, or the site's manifest is broken.</exception>
    /// <exception cref="IOException">The folder cannot be made, is a file, or holds something other than a site, or a file where a page would be.</exception>
    public static void RequireWritable(string siteFolder, IReadOnlyCollection<string> ids, string world = "")
    {
        RequireDistinct(ids.Select(id => $"{id}.html"));
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

        // A site from before there were manifests is known by its assets.
        bool isSite = File.Exists(Path.Combine(siteFolder, SiteManifest.FileName)) || _assets.All(name => File.Exists(Path.Combine(siteFolder, "assets", name)));
        if (!isSite && Directory.Exists(siteFolder) && Directory.EnumerateFileSystemEntries(siteFolder).Any(path => Path.GetFileName(path) != LockName))
        {
            throw new IOException($"The site cannot be written to {siteFolder}: the folder holds other files. Name an empty or a new folder.");
        }

        SiteManifest site = SiteManifest.Load(siteFolder);
        RequireOwn(siteFolder, site, ids.Select(id => $"{site.World(world).Folder}/{id}.html"));
    }

    private static void RequireDistinct(IEnumerable<string> files)
    {
        string? clash = files.Append("index.html").GroupBy(file => file, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1).Select(group => group.Key).FirstOrDefault();
        if (clash is not null)
        {
            throw new InvalidDataException($"Two pages would be named {clash}: give the notebooks different names, none of them index.");
        }
    }

    private static void RequireOwn(string site, SiteManifest manifest, IEnumerable<string> files)
    {
        // What every site has was ours before there were manifests.
        HashSet<string> own = [.. manifest.Files()];
        string? foreign = files.FirstOrDefault(file => !own.Contains(file) && File.Exists(Path.Combine(site, file)));
        if (foreign is not null)
        {
            throw new IOException($"The site cannot be written to {site}: its file {foreign} was not made by a run, and would be replaced. Move it, or name another folder.");
        }
    }

    // A run that ends while another is writing waits for it: each starts from what the other left.
    private static FileStream Lock(string site)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(site, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (watch.Elapsed < _longestWait && e is not (DirectoryNotFoundException or PathTooLongException))
            {
                Thread.Sleep(50);
            }
        }
    }

    private static void Build(string folder, string site, IReadOnlyList<NotebookRun> runs, SiteManifest now, SiteOptions options)
    {
        bool charts = false;
        HashSet<string> made = [];
        foreach (NotebookRun run in runs)
        {
            SiteWorld world = now.World(options.World);
            string page = new NotebookPage(run, now, options).ToHtml();
            string name = Path.Combine(world.Folder, SitePage.Of(run).File);
            charts |= PlotlyScript.IsUsedBy(page);
            made.Add(name);
            WriteText(folder, name, page);
        }

        foreach (SiteWorld world in now.Worlds)
        {
            foreach (SitePage page in world.Pages)
            {
                string name = Path.Combine(world.Folder, page.File);
                if (made.Contains(name))
                {
                    continue;
                }

                string html = File.ReadAllText(Path.Combine(site, name)), filled = SiteLinks.Fill(html, now, world, page);
                if (filled != html)
                {
                    WriteText(folder, name, filled);
                }
            }

            WriteText(folder, Path.Combine(world.Folder, "index.html"), IndexPage.ToHtml(now, world, options, atRoot: false));
        }

        WriteText(folder, "index.html", IndexPage.ToHtml(now, now.Worlds[0], options, atRoot: true));
        WriteText(folder, SiteManifest.FileName, now.ToJson());
        WriteAssets(folder, charts);
    }

    /// <summary>The text of a file in <c>assets</c>.</summary>
    /// <param name="name">Its name.</param>
    public static string Asset(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
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

    private static void WriteText(string folder, string name, string text)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.ReplaceLineEndings("\n"), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static void WriteTo(string path, Stream content)
    {
        using FileStream file = File.Create(path);
        content.CopyTo(file);
    }

    // The manifest last: what it names is there.
    private static void MoveInto(string site, string built)
    {
        string manifest = Path.Combine(built, SiteManifest.FileName);
        foreach (string file in Directory.GetFiles(built, "*", SearchOption.AllDirectories).OrderBy(file => file == manifest).ThenBy(file => file, StringComparer.Ordinal))
        {
            string target = Path.Combine(site, Path.GetRelativePath(built, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(file, target, overwrite: true);
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
