using System.Globalization;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Rendering;

/// <summary>The page of one notebook.</summary>
internal sealed class NotebookPage
{
    /// <summary>In a heading of first or second level, marks a section of the short path. Where there are such, the other sections open folded.</summary>
    public const string ShortPath = "◆";

    private readonly NotebookRun _run;
    private readonly SitePage _page;
    private readonly SiteManifest _site;
    private readonly SiteWorld _world;
    private readonly SiteOptions _options;
    private readonly MarkdownCell _markdown;
    private readonly bool _hasShortPath;
    private bool _headerIsOpen = true;

    /// <summary>Prepares a page.</summary>
    /// <param name="run">What it shows.</param>
    /// <param name="site">What the site holds, this page included.</param>
    /// <param name="options">What the site says of itself.</param>
    public NotebookPage(NotebookRun run, SiteManifest site, SiteOptions options)
    {
        _run = run;
        _page = SitePage.Of(run);
        _site = site;
        _world = site.World(options.World);
        _options = options;
        _hasShortPath = run.Cells.Any(cell => HeadingOf(cell)?.Contains(ShortPath, StringComparison.Ordinal) == true);
        HashSet<string> ids = ["top", "content", ParametersSection.Id, ResultsSection.Id, .. _run.Cells.Select(IdOf)];
        _markdown = new MarkdownCell(ids, _world.Plain.Select(page => page.Id).ToHashSet(StringComparer.Ordinal), Path.GetDirectoryName(_run.Path) ?? "", options.World);
    }

    /// <summary>The page as HTML.</summary>
    public string ToHtml()
    {
        string cells = string.Concat(Sections().Select(Fold));
        string parameters = ParametersSection.ToHtml(_run), results = ResultsSection.ToHtml(_run);
        string title = PageFrame.Title(_run.Id, _run.Title);
        string number = PageFrame.Number(_run.Id);
        string bar = $"<a class=\"home\" href=\"index.html\">{Html.Text(_options.Title)}</a>{SiteLinks.Place(SiteLinks.Worlds)}<span class=\"here\"><b>{number}</b> {title}</span>";
        string body = $"""
            <div class="layout">
            <aside class="toc">{Contents(parameters.Length > 0, results.Length > 0)}</aside>
            <main id="content">
            {Header(number, title)}
            {cells}{parameters}{results}{SiteLinks.Place(SiteLinks.Pager)}
            </main>
            </div>
            """;
        string[] words = [$"{number} {PageFrame.PlainText(title)}".Trim(), SiteManifest.Describe(_run.Parameters), _options.World, _options.Title];
        string page = PageFrame.Page("notebook", string.Join(" · ", words.Where(word => word.Length > 0)), bar, body, "../");
        return SiteLinks.Fill(page, _site, _world, _page);
    }

    // A section starts with a cell that starts with a heading.
    private IEnumerable<CellRun[]> Sections()
    {
        List<CellRun> section = [];
        foreach (CellRun cell in _run.Cells)
        {
            if (HeadingOf(cell) is not null && section.Count > 0)
            {
                yield return [.. section];
                section.Clear();
            }

            section.Add(cell);
        }

        yield return [.. section];
    }

    private static string? HeadingOf(CellRun cell) =>
        cell.Kernel == "markdown" && cell.Source.TrimStart() is string text && (text.StartsWith("# ", StringComparison.Ordinal) || text.StartsWith("## ", StringComparison.Ordinal))
            ? text.Split('\n')[0]
            : null;

    private string Fold(CellRun[] section)
    {
        string html = string.Concat(section.Select(Cell));
        bool isOpen = !_hasShortPath || section is [] || HeadingOf(section[0]) is not string heading || section[0] == _run.Cells[0]
            || heading.Contains(ShortPath, StringComparison.Ordinal) || section.Any(cell => cell.Error is not null);
        int end = isOpen ? -1 : html.IndexOf("</h", StringComparison.Ordinal) + "</h2>".Length;
        return isOpen ? html : $"""
            {html[..end]}
            </section>
            <details class="section"><summary>Beside the short path: {Html.Count(section.Count(IsCode), "code cell")}</summary>
            <section class="cell prose">{html[end..]}</details>

            """;
    }

    private static string IdOf(CellRun cell) => string.Create(CultureInfo.InvariantCulture, $"cell-{cell.Number}");

    private string Header(string number, string title)
    {
        int failed = _run.Cells.Count(cell => cell.State is RunState.Failed or RunState.TimedOut);
        IEnumerable<string> facts =
        [
            PageFrame.State(_run.State),
            .. _page.IsRun ? (string[])[$"<span>{Html.Time(_run.Elapsed)}</span>"] : [],
            .. _run.Cells.Any(IsCode) ? (string[])[$"<span>{Html.Count(_run.Cells.Count(IsCode), "code cell")}</span>"] : [],
            .. _run.Results.Count == 0 ? [] : (string[])[$"<a class=\"{(_page.ResultsMatching == _page.Results ? "good" : _run.Parameters.Count > 0 ? "" : "bad")}\" href=\"#{ResultsSection.Id}\">{ResultsSection.Summary(_run.Results)}{(_run.Parameters.Count > 0 ? " without parameters" : "")}</a>"],
            .. failed == 0 ? [] : (string[])[$"<a href=\"#{IdOf(_run.Cells.First(cell => cell.Error is not null || cell.State == RunState.TimedOut))}\">first failure ↓</a>"],
            .. _hasShortPath ? (string[])["<button type=\"button\" data-action=\"sections\">Open or fold all sections</button>"] : [],
        ];
        string question = _run.Question.Length == 0 ? "" : $"<p class=\"question\">{PageFrame.Inline(_run.Question)}</p>";
        string[] words = [number.Length == 0 ? "" : $"Notebook {number}", _world.Name.Length == 0 ? "" : $"World {Html.Text(_world.Name)}"];
        string eyebrow = string.Join(" · ", words.Where(word => word.Length > 0));
        string? note = _run.State switch
        {
            RunState.NotRun => $"Not run yet: <code>clipood run{(_world.Name.Length == 0 || _world.Name == Notebook.World.Names[0] ? "" : $" --world {Html.Text(_world.Name)}")} --only {(number.Length > 0 ? number : Html.Text(_run.Id))}</code> runs it.",
            RunState.OtherWorld => "This notebook is for another world, as its text says. Nothing of it was run in this one.",
            _ => null,
        };
        return $"""
            <header class="title">
            {(eyebrow.Length == 0 ? "" : $"<p class=\"eyebrow\">{eyebrow}</p>")}
            <h1>{title}</h1>
            {question}
            {(_options.WorldReach.Length == 0 ? "" : $"<p class=\"world\"><b>World {Html.Text(_world.Name)}.</b> {Html.Text(_options.WorldReach)}</p>")}
            <p class="facts">{string.Concat(facts)}</p>
            {SiteLinks.Place(SiteLinks.Variants)}{(note is null ? "" : $"<p class=\"note\">{note}</p>")}
            </header>
            """;
    }

    private string Contents(bool hasParameters, bool hasResults)
    {
        IEnumerable<Heading> headings =
        [
            .. _markdown.Headings,
            .. hasParameters ? (Heading[])[new Heading(2, ParametersSection.Id, ParametersSection.Title)] : [],
            .. hasResults ? (Heading[])[new Heading(2, ResultsSection.Id, ResultsSection.Title)] : [],
        ];
        string items = string.Concat(headings.Select(heading =>
            string.Create(CultureInfo.InvariantCulture, $"<li class=\"level-{heading.Level}\"><a href=\"#{Html.Text(heading.Id)}\">{heading.Html}</a></li>")));
        return items.Length == 0 ? "" : $"<details open><summary>On this page</summary><nav aria-label=\"On this page\"><ol>{items}</ol></nav></details>";
    }

    private static bool IsCode(CellRun cell) => cell.Kernel is not ("markdown" or "html");

    private string Cell(CellRun cell) => cell.Kernel switch
    {
        "markdown" => MarkdownSection(cell),
        "html" => Section(cell, "html", $"<div class=\"output rich\" id=\"{IdOf(cell)}-html\">{Rich(cell.Source, $"{IdOf(cell)}-html")}</div>"),
        "javascript" => Section(cell, "code", Source(cell) + Script(cell)),
        _ => Section(cell, "code", Source(cell)),
    };

    private string MarkdownSection(CellRun cell)
    {
        string html = _markdown.Render(cell, IdOf(cell), _headerIsOpen ? _run : null);
        _headerIsOpen = false;
        return Section(cell, "prose", html);
    }

    private string Section(CellRun cell, string kind, string content)
    {
        // Of the kernels that render, the source is what is shown; their outputs only repeat it.
        IReadOnlyList<CellOutput> shown = cell.Kernel == "csharp" ? cell.Outputs : [];
        string outputs = string.Concat(shown.Select((output, i) => Output(output, string.Create(CultureInfo.InvariantCulture, $"{IdOf(cell)}-output-{i + 1}"))));
        string after = outputs.Length == 0 && Failure(cell).Length == 0 ? "" : $"<div class=\"outputs\">{outputs}{Failure(cell)}</div>";
        return $"<section class=\"cell {kind} {(cell.State == RunState.Passed || !_page.IsRun ? "" : PageFrame.ClassOf(cell.State))}\" id=\"{IdOf(cell)}\">\n{content}{after}\n</section>\n";
    }

    private static string Source(CellRun cell)
    {
        string[] lines = cell.Source.Split('\n');
        string preview = lines.FirstOrDefault(line => line.Trim().Length > 0)?.Trim() ?? "";
        // Setup says nothing new to a reader: it starts closed.
        bool isSetup = lines.All(line => line.Trim().Length == 0 || line.StartsWith('#') || line.StartsWith("using ", StringComparison.Ordinal) || line.StartsWith("//", StringComparison.Ordinal));
        // So does what a cell says of itself to be no part of the lesson.
        bool isPlumbing = preview.StartsWith("// Plumbing", StringComparison.Ordinal);
        bool isClosed = (isSetup || isPlumbing) && cell.Error is null;
        preview = isPlumbing ? preview["// Plumbing".Length..].TrimStart(':', ' ') : preview;
        string code = cell.Kernel == "csharp"
            ? CodeHighlighter.ToHtml(cell.Source, cell.Error?.Line)
            : string.Concat(lines.Select(line => $"<span class=\"line\">{Html.Text(line)}</span>\n"));
        string time = cell.State is RunState.NotRun or RunState.OtherWorld || cell.Kernel == "javascript" ? "" : Html.Time(cell.Elapsed);
        string label = isPlumbing ? "Plumbing" : isSetup ? "Setup" : cell.Kernel == "csharp" ? "Code" : cell.Kernel;
        return $"""
            <details class="source{(isClosed ? " setup" : "")}"{(isClosed ? "" : " open")}>
            <summary><span class="label">{Html.Text(label)}</span><code class="preview">{Html.Text(preview)}</code><span class="time">{time}</span><span class="number" title="Cell {cell.Number}">{cell.Number}</span></summary>
            <pre class="code" tabindex="0"><code>{code}</code></pre>
            </details>
            """;
    }

    // As in .NET Interactive, the cell is the body of an async function: what it returns is shown.
    private static string Script(CellRun cell)
    {
        string id = $"{IdOf(cell)}-script";
        return $"<div class=\"outputs\"><div class=\"output rich\" id=\"{id}\"></div></div><script>notebookCell(\"{id}\", async function (element) {{\n{HtmlFragment.Script(cell.Script)}\n}});</script>";
    }

    private static string Rich(string html, string id) => HtmlFragment.Parse(html, id).ToHtml();

    private static string Output(CellOutput output, string id) => output switch
    {
        StreamOutput stream => $"<pre class=\"output stream{(stream.IsError ? " error-stream" : "")}\" tabindex=\"0\">{Html.Stream(stream.Text)}</pre>",
        DisplayOutput display => Display(display, id),
        _ => throw new ArgumentException($"Unknown output {output.GetType()}: expected a stream or a display.", nameof(output)),
    };

    private static string Display(DisplayOutput display, string id)
    {
        // From the richest form to the plainest, as notebooks do.
        foreach (string type in (string[])["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/latex"])
        {
            if (display.Mime.TryGetValue(type, out string? text))
            {
                return $"<div class=\"output rich\" id=\"{id}\">{FromMime(type, text, id)}</div>";
            }
        }

        string plain = display.Mime.TryGetValue("text/plain", out string? value)
            ? value
            : display.Mime.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value).FirstOrDefault("");
        return $"<pre class=\"output plain\" tabindex=\"0\">{Html.Stream(plain)}</pre>";
    }

    private static string FromMime(string type, string text, string id) => type switch
    {
        "text/html" or "image/svg+xml" => Rich(text, id),
        "text/markdown" => Rich(MarkdownRenderer.ToHtml(text), id),
        "text/latex" => Rich(MarkdownRenderer.ToHtml(text), id),
        _ => $"<img alt=\"\" src=\"data:{type};base64,{Html.Text(text.ReplaceLineEndings(""))}\">",
    };

    private string Failure(CellRun cell)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"Cell {cell.Number}{(cell.Error?.Line is int line ? $", line {line}" : "")}");
        if (cell.Error is CellError error)
        {
            string details = error.Details.Length == 0 ? "" : $"<details><summary>Details</summary><pre tabindex=\"0\">{Html.Stream(error.Details)}</pre></details>";
            return $"<div class=\"failure\" role=\"note\"><p class=\"place\"><b>{Html.Text(error.Type)}</b><span>{place}</span></p><pre class=\"message\" tabindex=\"0\">{Html.Stream(error.Message)}</pre>{details}</div>";
        }

        string? note = cell.State switch
        {
            // Of a notebook that was not run at all, the header says so once.
            _ when !_page.IsRun => null,
            RunState.TimedOut => "This cell took longer than allowed and was stopped. Its outputs up to then are kept.",
            RunState.Cancelled => "This cell was stopped by the user.",
            RunState.NotRun => "Not run: something before this cell failed.",
            RunState.Failed => "This cell failed.",
            _ => null,
        };
        return note is null ? "" : $"<p class=\"note\">{note}</p>";
    }
}
