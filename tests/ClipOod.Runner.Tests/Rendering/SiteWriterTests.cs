using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class SiteWriterTests : IDisposable
{
    private static readonly SiteOptions _options = new("The <workbook>", "All of it");

    private readonly string _folder = Directory.CreateTempSubdirectory("site-tests-").FullName;

    private string Site => Path.Combine(_folder, "site");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_OfRuns_GivesAnIndexAPageEachAndAssets()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        string[] files = [.. Directory.GetFiles(Site, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Site, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["00-start-here.html", "01-entropy-thresholds.html", "02-broken.html", "assets/plotly.min.js", "assets/site.css", "assets/site.js", "index.html"], files);
        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Index_OfRuns_HasACardEachWithTitleQuestionTimeAndState()
    {
        IDocument index = Page("index");
        IElement[] cards = [.. index.QuerySelectorAll(".card")];
        Assert.Equal(["Start here", "Class-wise entropy thresholds", "A notebook that fails"], cards.Select(card => card.QuerySelector("h2")!.TextContent));
        Assert.Equal("01-entropy-thresholds.html", cards[1].QuerySelector("h2 a")!.GetAttribute("href"));
        Assert.Contains("Does every class need", cards[1].QuerySelector(".question")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("4.2 s", cards[1].TextContent, StringComparison.Ordinal);
        Assert.Equal(["✓ Passed", "✓ Passed", "✕ Failed"], cards.Select(card => card.QuerySelector(".state")!.TextContent));
        Assert.Contains("2 of 3 notebooks passed", index.QuerySelector(".facts")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("The <workbook>", index.QuerySelector("h1")!.TextContent);
    }

    [Fact]
    public void Pages_OfRuns_HaveUniqueIdsAndNoDeadLinks()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        Dictionary<string, IDocument> pages = Directory.GetFiles(Site, "*.html").ToDictionary(file => Path.GetFileName(file)!, file => Parse(File.ReadAllText(file)));
        foreach (IDocument page in pages.Values)
        {
            string[] ids = [.. page.QuerySelectorAll("[id]").Select(element => element.Id!)];
            Assert.Equal(ids.Length, ids.Distinct().Count());
            foreach (string address in page.QuerySelectorAll("a[href]").Select(link => link.GetAttribute("href")!))
            {
                string[] parts = address.Split('#', 2);
                IDocument target = parts[0].Length == 0 ? page : pages[parts[0]];
                Assert.True(parts.Length == 1 || target.GetElementById(Uri.UnescapeDataString(parts[1])) is not null, $"{address} leads nowhere");
            }
        }
    }

    [Fact]
    public void Pages_OfRuns_AskNothingOfTheNetwork()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        foreach (string file in Directory.GetFiles(Site, "*.html"))
        {
            IDocument page = Parse(File.ReadAllText(file));
            IEnumerable<string?> loaded = page.QuerySelectorAll("[src], link[href]").Select(element => element.GetAttribute("src") ?? element.GetAttribute("href"));
            Assert.All(loaded, address => Assert.True(address!.StartsWith("data:", StringComparison.Ordinal) || File.Exists(Path.Combine(Site, address)), address));
        }

        Assert.DoesNotContain("http", File.ReadAllText(Path.Combine(Site, "assets", "site.css")), StringComparison.Ordinal);
        Assert.DoesNotContain("http", File.ReadAllText(Path.Combine(Site, "assets", "site.js")), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_WithCharts_LoadsPlotlyInItsHeadAndOthersDoNot()
    {
        Assert.NotNull(Page("01-entropy-thresholds").QuerySelector("head script[src='assets/plotly.min.js']"));
        Assert.Null(Page("00-start-here").QuerySelector("script[src*=plotly]"));
    }

    [Fact]
    public void Page_OfARun_ShowsItsHeaderOnce()
    {
        IDocument page = Page("01-entropy-thresholds");
        Assert.Equal("Class-wise entropy thresholds", Assert.Single(page.QuerySelectorAll("h1")).TextContent);
        Assert.Equal("Notebook 01", page.QuerySelector(".eyebrow")!.TextContent);
        Assert.Empty(page.QuerySelectorAll("blockquote"));
        Assert.Equal(["The idea", "The equation", "By hand", "On data", "By hand", "Summary", "Declared results"], page.QuerySelectorAll(".toc li").Select(item => item.TextContent));
        Assert.Equal(["00-start-here.html", "02-broken.html"], page.QuerySelectorAll(".pager a").Select(link => link.GetAttribute("href")));
    }

    [Fact]
    public void Page_OfAFailedRun_ShowsErrorsWithCellAndLineAndEscapesData()
    {
        IDocument page = Page("02-broken");
        IElement failure = page.QuerySelector("#cell-2 .failure")!;
        Assert.Contains("Cell 2, line 3", failure.TextContent, StringComparison.Ordinal);
        Assert.Equal("Attempted to divide by <zero>.", failure.QuerySelector(".message")!.TextContent);
        Assert.Equal("int broken = 1 / n;", page.QuerySelector("#cell-2 .marked")!.TextContent);
        Assert.Equal("warning: n is 0 & that is <b>bad</b>\n", page.QuerySelector("#cell-2 .error-stream")!.TextContent);
        Assert.Contains("Not run", page.QuerySelector("#cell-3 .note")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("is <none>?", page.QuerySelector(".question")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_WithLinksBetweenNotebooks_RewritesThoseThatHaveAPage()
    {
        IDocument page = Page("00-start-here");
        Assert.Equal("01-entropy-thresholds.html#the-equation", page.QuerySelector("#cell-1 a")!.GetAttribute("href"));
        Assert.Equal("the last one", page.QuerySelector("#cell-1 .absent")!.TextContent);
    }

    [Fact]
    public void Page_WithResults_ShowsValueRecordedToleranceAndCheck()
    {
        string[][] rows = [.. Page("01-entropy-thresholds").QuerySelectorAll("#declared-results tbody tr").Select(row => row.Children.Select(cell => cell.TextContent).ToArray())];
        Assert.Equal(["AUROC, MCM, CIFAR-10 against DTD", "0.987654", "0.9876", "0.0001", "✓ matches"], rows[0]);
        Assert.Equal(["✓ matches", "✕ differs", "+ not recorded", "✕ missing"], rows.Select(row => row[4]));
    }

    [Fact]
    public void Page_WithCellsOfOtherKernels_ShowsEachOnce()
    {
        IDocument page = Page("01-entropy-thresholds");
        Assert.Single(page.QuerySelectorAll("#cell-7 p"));
        Assert.Contains("notebookCell(\"cell-8-script\"", page.QuerySelector("#cell-8 script")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_WithASetupCell_StartsWithItClosed()
    {
        IDocument page = Page("01-entropy-thresholds");
        Assert.False(page.QuerySelector("#cell-2 details")!.HasAttribute("open"));
        Assert.True(page.QuerySelector("#cell-4 details")!.HasAttribute("open"));
    }

    [Theory]
    [InlineData("</div></section></main></body><h1>out</h1>")]
    [InlineData("<script>")]
    [InlineData("<script>x = '<!--<script>'")]
    [InlineData("<!--")]
    [InlineData("<plaintext>")]
    [InlineData("<style>body{display:none}")]
    [InlineData("</template></details>")]
    [InlineData("<textarea>")]
    public void Page_WithHostileFragments_KeepsItsStructure(string hostile)
    {
        NotebookRun run = SampleRuns.Run("05-hostile", "Hostile", "", RunState.Passed,
        [
            SampleRuns.Markdown(1, "# Hostile\n\nText\n\n" + hostile),
            SampleRuns.Code(2, "x", SampleRuns.Display("text/html", hostile), new StreamOutput(false, hostile), SampleRuns.Display("text/plain", hostile),
                SampleRuns.Display("image/svg+xml", hostile), SampleRuns.Display("text/markdown", hostile)),
            new CellRun(3, "html", hostile, RunState.Passed, TimeSpan.Zero, [], null),
            new CellRun(4, "javascript", $"const x = '{hostile}';", RunState.Passed, TimeSpan.Zero, [], null),
            SampleRuns.Code(5, hostile, RunState.Failed, new CellError(hostile, hostile, 1, hostile)),
            SampleRuns.Markdown(6, "## The end"),
        ], SampleRuns.Check(hostile, 1, 1, 0, CheckState.Matches));
        SiteWriter.Write(Site, [run], _options);
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "05-hostile.html")));
        Assert.Equal(["cell-1", "cell-2", "cell-3", "cell-4", "cell-5", "cell-6"], page.QuerySelectorAll("main > section.cell").Select(cell => cell.Id));
        Assert.Equal("The end", page.QuerySelector("main > #cell-6 > h2")!.FirstChild!.TextContent);
        Assert.NotNull(page.QuerySelector("main > #declared-results"));
        Assert.Equal(["A", "HEADER", "DIV"], page.Body!.Children.Select(child => child.TagName));
        Assert.Equal(5, page.QuerySelectorAll("#cell-2 .output").Length);
    }

    [Fact]
    public void Write_OverASite_ReplacesAllOfIt()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        File.WriteAllText(Path.Combine(Site, "stale.html"), "");
        SiteWriter.Write(Site, SampleRuns.All, _options);
        Assert.False(File.Exists(Path.Combine(Site, "stale.html")));
    }

    [Fact]
    public void RequireWritable_OverOtherFiles_SaysThatTheyWouldGo()
    {
        Directory.CreateDirectory(Site);
        File.WriteAllText(Path.Combine(Site, "thesis.txt"), "");

        IOException error = Assert.Throws<IOException>(() => SiteWriter.RequireWritable(Site, ["01-a"]));

        Assert.Contains($"{Site}: the folder holds other files, which would be deleted.", error.Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.GetFileSystemEntries(Site).Select(Path.GetFileName));
    }

    [Fact]
    public void RequireWritable_OverASiteOrAnEmptyFolder_IsFine()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        SiteWriter.RequireWritable(Site, ["01-a"]);
        SiteWriter.RequireWritable(Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName, ["01-a"]);
        Assert.True(File.Exists(Path.Combine(Site, "02-broken.html")));
    }

    [Fact]
    public void RequireWritable_UnderAFile_NamesTheFile()
    {
        File.WriteAllText(Site, "");

        IOException error = Assert.Throws<IOException>(() => SiteWriter.RequireWritable(Path.Combine(Site, "a", "b"), ["01-a"]));

        Assert.Contains($"{Site} is a file, expected a folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireWritable_WhereNoFolderCanBeMade_SaysWhyBeforeTheRun()
    {
        string tooLong = Path.Combine(_folder, new string('a', 300));

        IOException error = Assert.ThrowsAny<IOException>(() => SiteWriter.RequireWritable(tooLong, ["01-a"]));

        Assert.StartsWith($"The site cannot be written to {tooLong}: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Name another folder.", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Write_OfSeveralAtOnce_LeavesOneSiteAndNothingElse()
    {
        Parallel.For(0, 3, _ => SiteWriter.Write(Site, SampleRuns.All, _options));

        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
        Assert.True(File.Exists(Path.Combine(Site, "02-broken.html")));
    }

    [Fact]
    public void Write_ThatFails_LeavesTheFormerSiteAndNothingElse()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        NotebookRun unwritable = SampleRuns.Run("no/such/folder", "x", "", RunState.Passed, []);
        Assert.ThrowsAny<IOException>(() => SiteWriter.Write(Site, [unwritable], _options));
        Assert.True(File.Exists(Path.Combine(Site, "02-broken.html")));
        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Write_OfTwoNotebooksWithOneName_SaysWhich()
    {
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => SiteWriter.Write(Site, [SampleRuns.All[0], SampleRuns.All[0]], _options));
        Assert.Contains("00-start-here.html", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "< 1 ms")]
    [InlineData(0.0124, "12 ms")]
    [InlineData(1.26, "1.3 s")]
    [InlineData(59.97, "1 min 00 s")]
    [InlineData(125, "2 min 05 s")]
    public void Time_OfARun_HasTheDigitsThatMatter(double seconds, string expected) => Assert.Equal(expected, Html.Time(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("\u001b[31mred\u001b[0m", "red")]
    [InlineData("10 %\r20 %\r30 %\nend", "30 %\nend")]
    [InlineData("a\r\nb", "a\nb")]
    public void Stream_OfATerminal_ShowsWhatItWouldShow(string text, string expected) => Assert.Equal(expected, Html.Stream(text));

    private static IDocument Parse(string html) => new HtmlParser().ParseDocument(html);

    private IDocument Page(string name)
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        return Parse(File.ReadAllText(Path.Combine(Site, name + ".html")));
    }
}
