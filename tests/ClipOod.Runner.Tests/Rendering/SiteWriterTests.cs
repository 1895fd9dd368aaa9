using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class SiteWriterTests : IDisposable
{
    private static readonly SiteOptions _options = new("The <workbook>", "All of it", "pictograms", "Drawings.");
    private static readonly SiteOptions _otherWorld = _options with { World = "clip-features", WorldDescription = "Photographs." };

    private readonly string _folder = Directory.CreateTempSubdirectory("site-tests-").FullName;

    private string Site => Path.Combine(_folder, "site");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_OfRuns_GivesAnIndexAPageEachAndAssets()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        string[] files = [.. Directory.GetFiles(Site, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Site, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                ".lock", "assets/plotly.min.js", "assets/site.css", "assets/site.js", "index.html",
                "pictograms/00-start-here.html", "pictograms/01-entropy-thresholds.html", "pictograms/02-broken.html", "pictograms/index.html", "site.json",
            ],
            files);
        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Index_OfRuns_HasACardEachWithTitleQuestionTimeAndState()
    {
        IDocument index = Page("index");
        IElement[] cards = [.. index.QuerySelectorAll(".card")];
        Assert.Equal(["Start here", "Class-wise entropy thresholds", "A notebook that fails"], cards.Select(card => card.QuerySelector("h2")!.TextContent));
        Assert.Equal("pictograms/01-entropy-thresholds.html", cards[1].QuerySelector("h2 a")!.GetAttribute("href"));
        Assert.Contains("Does every class need", cards[1].QuerySelector(".question")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("4.2 s", cards[1].TextContent, StringComparison.Ordinal);
        Assert.Equal(["✓ Passed", "✓ Passed", "✕ Failed"], cards.Select(card => card.QuerySelector(".state")!.TextContent));
        Assert.Contains("2 of 3 notebooks passed", index.QuerySelector(".facts")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("The <workbook>", index.QuerySelector("h1")!.TextContent);
        Assert.Equal("World pictograms. Drawings.", index.QuerySelector(".world")!.TextContent);
    }

    [Fact]
    public void Pages_OfRuns_HaveUniqueIdsAndNoDeadLinks()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        SiteWriter.Write(Site, [SampleRuns.All[1], SampleRuns.With(SampleRuns.All[1], ("seed", "1"))], _otherWorld);
        Dictionary<string, IDocument> pages = Directory.GetFiles(Site, "*.html", SearchOption.AllDirectories).ToDictionary(file => file, file => Parse(File.ReadAllText(file)));
        Assert.Equal(8, pages.Count);
        foreach ((string file, IDocument page) in pages)
        {
            string[] ids = [.. page.QuerySelectorAll("[id]").Select(element => element.Id!)];
            Assert.Equal(ids.Length, ids.Distinct().Count());
            foreach (string address in page.QuerySelectorAll("a[href]").Select(link => link.GetAttribute("href")!))
            {
                string[] parts = address.Split('#', 2);
                IDocument target = parts[0].Length == 0 ? page : pages[Path.GetFullPath(Uri.UnescapeDataString(parts[0]), Path.GetDirectoryName(file)!)];
                Assert.True(parts.Length == 1 || target.GetElementById(Uri.UnescapeDataString(parts[1])) is not null, $"{address} leads nowhere");
            }
        }
    }

    [Fact]
    public void Pages_OfRuns_AskNothingOfTheNetwork()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        foreach (string file in Directory.GetFiles(Site, "*.html", SearchOption.AllDirectories))
        {
            IDocument page = Parse(File.ReadAllText(file));
            IEnumerable<string?> loaded = page.QuerySelectorAll("[src], link[href]").Select(element => element.GetAttribute("src") ?? element.GetAttribute("href"));
            Assert.All(loaded, address => Assert.True(address!.StartsWith("data:", StringComparison.Ordinal) || File.Exists(Path.GetFullPath(address, Path.GetDirectoryName(file)!)), address));
        }

        Assert.DoesNotContain("http", File.ReadAllText(Path.Combine(Site, "assets", "site.css")), StringComparison.Ordinal);
        Assert.DoesNotContain("http", File.ReadAllText(Path.Combine(Site, "assets", "site.js")), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_WithCharts_LoadsPlotlyInItsHeadAndOthersDoNot()
    {
        Assert.NotNull(Page("01-entropy-thresholds").QuerySelector("head script[src='../assets/plotly.min.js']"));
        Assert.Null(Page("00-start-here").QuerySelector("script[src*=plotly]"));
    }

    [Fact]
    public void Page_OfARun_ShowsItsHeaderOnce()
    {
        IDocument page = Page("01-entropy-thresholds");
        Assert.Equal("Class-wise entropy thresholds", Assert.Single(page.QuerySelectorAll("h1")).TextContent);
        Assert.Equal("Notebook 01 · World pictograms", page.QuerySelector(".eyebrow")!.TextContent);
        Assert.Empty(page.QuerySelectorAll("blockquote"));
        Assert.Equal(["The idea", "The equation", "By hand", "On data", "By hand", "Summary", "What this page declares"], page.QuerySelectorAll(".toc li").Select(item => item.TextContent));
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
        Assert.Equal(["AUROC, MCM, CIFAR-10 against DTD", "0.987654", "0.0001", "✓ matches"], rows[0]);
        Assert.Equal(["✓ matches", "✕ differs from 0.4642", "+ not recorded", "✕ missing, recorded is 0.913"], rows.Select(row => row[3]));
    }

    [Fact]
    public void Page_BesideOtherWorlds_ShowsWhatIsRecordedThereAndWhatIsNot()
    {
        NotebookRun run = SampleRuns.All[1] with
        {
            Elsewhere =
            [
                new RecordedElsewhere("photographs", new Dictionary<string, DeclaredResult> { ["mean threshold (nats)"] = new NumberResult("mean threshold (nats)", -0.3, 1e-3) }, null),
                new RecordedElsewhere("sketches", new Dictionary<string, DeclaredResult>(), "Nothing is recorded in the world <sketches>."),
            ],
        };
        SiteWriter.Write(Site, [run], _options with { WorldReach = "It teaches <mechanism>." });
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "pictograms", "01-entropy-thresholds.html")));

        Assert.Equal("World pictograms. It teaches <mechanism>.", page.QuerySelector("header.title .world")!.TextContent);
        Assert.False(page.QuerySelector("#declared-results details")!.HasAttribute("open"));
        Assert.Equal(["Result", "This run", "Tolerance", "Check", "Recorded in photographs", "Beside this run"], page.QuerySelectorAll("#declared-results th").Select(head => head.TextContent));
        string[][] rows = [.. page.QuerySelectorAll("#declared-results tbody tr").Select(row => row.Children.Select(cell => cell.TextContent).ToArray())];
        Assert.Equal(["not recorded", "-0.3", "not recorded", "not recorded"], rows.Select(row => row[4]));
        Assert.Equal(["–", "other sign", "–", "–"], rows.Select(row => row[5]));
        Assert.Equal(
            [
                "Beside photographs: 1 of 3 results are recorded in the world photographs too. The sign of the difference differs: “mean threshold (nats)”.",
                "Beside sketches: Nothing is recorded in the world <sketches>.",
            ],
            page.QuerySelectorAll("#declared-results > p").Take(2).Select(paragraph => paragraph.TextContent));
    }

    [Fact]
    public void Page_OfAWorld_HoldsNoParagraphOfAnother()
    {
        CellRun cell = SampleRuns.Markdown(1, "# A notebook\n\n**In `pictograms`:** drawn.\n\n**In `clip-features`:** photographed.\n\n- **In `clip-features`:** an item\n- all\n\nIn `clip-features`: all too.");
        SiteWriter.Write(Site, [SampleRuns.Run("05-worlds", "A notebook", "", RunState.Passed, [cell])], _options);
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "pictograms", "05-worlds.html")));

        Assert.Equal(["In pictograms: drawn.", "In clip-features: all too."], page.QuerySelectorAll("#cell-1 p").Select(paragraph => paragraph.TextContent));
        Assert.Equal(["all"], page.QuerySelectorAll("#cell-1 li").Select(item => item.TextContent));
    }

    [Fact]
    public void Page_WithAShortPath_OpensWithTheOtherSectionsFolded()
    {
        CellRun[] cells =
        [
            SampleRuns.Markdown(1, "# A notebook\n\n> Why?"), SampleRuns.Markdown(2, "## ◆ Idea\n\nThis."), SampleRuns.Code(3, "1"),
            SampleRuns.Markdown(4, "## Aside\n\nThat."), SampleRuns.Code(5, "2"), SampleRuns.Code(6, "3"), SampleRuns.Markdown(7, "## Failing\n\nText."),
            SampleRuns.Code(8, "4", RunState.Failed, new CellError("E", "m", 1, "")),
        ];
        SiteWriter.Write(Site, [SampleRuns.Run("05-short", "A notebook", "Why?", RunState.Failed, cells)], _options);
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "pictograms", "05-short.html")));

        IElement aside = Assert.Single(page.QuerySelectorAll("details.section"));
        Assert.False(aside.HasAttribute("open"));
        Assert.Equal("Beside the short path: 2 code cells", aside.QuerySelector("summary")!.TextContent);
        Assert.Equal(["cell-5", "cell-6"], aside.QuerySelectorAll("section[id]").Select(cell => cell.Id));
        Assert.StartsWith("Aside", page.QuerySelector("#cell-4 h2")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("That.", aside.TextContent, StringComparison.Ordinal);
        Assert.Equal(8, page.QuerySelectorAll("main section.cell[id]").Length);
        Assert.NotNull(page.QuerySelector("header.title [data-action='sections']"));
    }

    [Fact]
    public void Page_WithParameters_ListsThemWithWhatIsAllowed()
    {
        NotebookRun run = SampleRuns.With(SampleRuns.All[0], ("seed", "7")) with
        {
            Declared = [new DeclaredParameter("seed", "0", "a number from 0 to 9", "of the <draw>"), new DeclaredParameter("ood", "near", "one of near, far", "")],
        };
        SiteWriter.Write(Site, [run], _options);
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "pictograms", "00-start-here.seed=7.html")));

        string[][] rows = [.. page.QuerySelectorAll("#parameters tbody tr").Select(row => row.Children.Select(cell => cell.TextContent).ToArray())];
        Assert.Equal([["seed", "7", "0", "a number from 0 to 9", "of the <draw>"], ["ood", "near", "near", "one of near, far", ""]], rows);
        Assert.Equal("What you can turn", page.QuerySelector(".toc a[href='#parameters']")!.TextContent);
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
        IDocument page = Parse(File.ReadAllText(Path.Combine(Site, "pictograms", "05-hostile.html")));
        Assert.Equal(["cell-1", "cell-2", "cell-3", "cell-4", "cell-5", "cell-6"], page.QuerySelectorAll("main > section.cell").Select(cell => cell.Id));
        Assert.Equal("The end", page.QuerySelector("main > #cell-6 > h2")!.FirstChild!.TextContent);
        Assert.NotNull(page.QuerySelector("main > #declared-results"));
        Assert.Equal(["A", "HEADER", "DIV"], page.Body!.Children.Select(child => child.TagName));
        Assert.Equal(5, page.QuerySelectorAll("#cell-2 .output").Length);
    }

    [Fact]
    public void Write_OfOneNotebook_LeavesTheOtherPagesAndUpdatesItsOwn()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        string untouched = Path.Combine(Site, "pictograms", "00-start-here.html");
        string before = File.ReadAllText(untouched);

        IReadOnlyList<string> written = SiteWriter.Write(Site, [SampleRuns.All[2] with { State = RunState.Passed, Cells = [SampleRuns.Markdown(1, "Mended.")] }], _options);

        Assert.Equal([Path.Combine(Site, "pictograms", "02-broken.html")], written);
        Assert.Contains("Mended.", PageOf("pictograms/02-broken").Body!.TextContent, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(untouched));
        Assert.NotNull(PageOf("pictograms/01-entropy-thresholds"));
        Assert.Equal(3, PageOf("index").QuerySelectorAll(".card").Length);
        Assert.Contains("All 3 notebooks passed", PageOf("index").QuerySelector(".facts")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfARunWithParameters_PutsItBesideTheNotebooksPage()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        NotebookRun seed = SampleRuns.With(SampleRuns.All[1], ("seed", "1"), ("ood", "a/B"));
        SiteWriter.Write(Site, [seed], _options);
        SiteWriter.Write(Site, [SampleRuns.With(SampleRuns.All[1], ("seed", "2"))], _options);

        const string Named = "01-entropy-thresholds.ood%3Da--%2Cseed%3D1-";
        IDocument plain = PageOf("pictograms/01-entropy-thresholds");
        Assert.Equal("Also run with|ood = a/B, seed = 1|seed = 2", string.Join('|', Texts(plain, "header.title .variants > *")));
        Assert.StartsWith(Named, Addresses(plain, ".variants a")[0], StringComparison.Ordinal);
        IDocument variant = PageOf("pictograms/01-entropy-thresholds.seed=2");
        Assert.Equal("Run with seed = 2|without parameters|Also run with|ood = a/B, seed = 1", string.Join('|', Texts(variant, "header.title .variants > *")));
        Assert.Equal("01-entropy-thresholds.html", Addresses(variant, ".variants a")[0]);
        Assert.Equal(Addresses(plain, ".pager a"), Addresses(variant, ".pager a"));
        Assert.Contains("seed = 2", variant.Title, StringComparison.Ordinal);
        Assert.Equal("pictograms/01-entropy-thresholds.seed%3D2.html", Addresses(PageOf("index"), ".card .variants a")[1]);
        Assert.Equal("01-entropy-thresholds.seed%3D2.html", Addresses(PageOf("pictograms/index"), ".card .variants a")[1]);
        Assert.Equal(3, PageOf("index").QuerySelectorAll(".card").Length);
    }

    [Fact]
    public void Write_OfAnotherWorld_PutsBothSideBySideWithASwitch()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        SiteWriter.Write(Site, [SampleRuns.All[1], SampleRuns.All[2] with { State = RunState.OtherWorld }], _otherWorld);

        Assert.Equal(["pictograms", "clip-features"], Texts(PageOf("pictograms/01-entropy-thresholds"), ".worlds > *"));
        Assert.Equal(["../clip-features/01-entropy-thresholds.html"], Addresses(PageOf("pictograms/01-entropy-thresholds"), ".worlds a"));
        Assert.Equal(["../pictograms/01-entropy-thresholds.html"], Addresses(PageOf("clip-features/01-entropy-thresholds"), ".worlds a"));
        Assert.Equal("clip-features", PageOf("clip-features/01-entropy-thresholds").QuerySelector(".worlds b")!.TextContent);
        Assert.Equal(["../clip-features/index.html"], Addresses(PageOf("pictograms/02-broken"), ".worlds a"));
        Assert.Equal(["clip-features/index.html"], Addresses(PageOf("index"), ".worlds a"));
        Assert.Equal(["../pictograms/index.html"], Addresses(PageOf("clip-features/index"), ".worlds a"));
        Assert.Equal(3, PageOf("index").QuerySelectorAll(".card").Length);
        Assert.Equal("World clip-features. Photographs.", PageOf("clip-features/index").QuerySelector(".world")!.TextContent);
    }

    [Fact]
    public void Write_OfANotebookThatWasNotRun_MakesAPageThatSaysSoButReplacesNone()
    {
        NotebookRun notRun = SampleRuns.Run("02-broken", "02 · A notebook", "", RunState.NotRun, [SampleRuns.Code(1, "1 + 1", RunState.NotRun, null)]);
        SiteWriter.Write(Site, [SampleRuns.All[0], notRun], _options);
        IDocument page = PageOf("pictograms/02-broken");
        Assert.Equal("Not run yet: clipood run --only 02 runs it.", page.QuerySelector("header.title .note")!.TextContent);
        Assert.Null(page.QuerySelector("#cell-1 .note"));
        Assert.Contains("1 of 1 notebook passed1 not run yet", PageOf("index").QuerySelector(".facts")!.TextContent, StringComparison.Ordinal);

        SiteWriter.Write(Site, [SampleRuns.All[2]], _options);
        SiteWriter.Write(Site, [notRun], _options);
        Assert.NotNull(PageOf("pictograms/02-broken").QuerySelector(".failure"));
    }

    [Fact]
    public void Write_OfAWholeWorld_RemovesPagesOfNotebooksThatAreGoneAndNothingElse()
    {
        SiteWriter.Write(Site, [.. SampleRuns.All, SampleRuns.With(SampleRuns.All[2], ("seed", "1"))], _options);
        SiteWriter.Write(Site, SampleRuns.All, _otherWorld);
        string mine = Path.Combine(Site, "pictograms", "notes.txt");
        File.WriteAllText(mine, "");

        SiteWriter.Write(Site, [.. SampleRuns.All.Take(2)], _options, removeOthers: true);

        Assert.True(File.Exists(mine));
        Assert.Equal(
            ["00-start-here.html", "01-entropy-thresholds.html", "index.html", "notes.txt"],
            Directory.GetFiles(Path.Combine(Site, "pictograms")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Path.Combine(Site, "clip-features", "02-broken.html")));
        Assert.Equal(["00-start-here.html"], Addresses(PageOf("pictograms/01-entropy-thresholds"), ".pager a"));
    }

    [Fact]
    public void Write_OverAForeignFile_LeavesItAndSaysWhich()
    {
        SiteWriter.Write(Site, [SampleRuns.All[0]], _options);
        string mine = Path.Combine(Site, "pictograms", "02-broken.html");
        File.WriteAllText(mine, "mine");

        foreach (Action write in (Action[])[() => SiteWriter.RequireWritable(Site, ["02-broken"], "pictograms"), () => SiteWriter.Write(Site, SampleRuns.All, _options)])
        {
            IOException error = Assert.Throws<IOException>(write);
            Assert.Contains("its file pictograms/02-broken.html was not made by a run", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal("mine", File.ReadAllText(mine));
        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("oops")]
    [InlineData("{}")]
    [InlineData("null")]
    public void RequireWritable_WithABrokenManifest_SaysWhatToDo(string manifest)
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        File.WriteAllText(Path.Combine(Site, "site.json"), manifest);

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SiteWriter.RequireWritable(Site, ["01-a"], "pictograms"));

        Assert.StartsWith($"{Path.Combine(Site, "site.json")}: not the manifest of a site", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("remove the site's folder and run again.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AfterAPageWasDeletedByHand_NoLongerListsIt()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        File.Delete(Path.Combine(Site, "pictograms", "02-broken.html"));

        SiteWriter.Write(Site, [SampleRuns.All[0]], _options);

        Assert.Equal(["00", "01"], Texts(PageOf("index"), ".card .number"));
        Assert.Equal(["00-start-here.html"], Addresses(PageOf("pictograms/01-entropy-thresholds"), ".pager a"));
    }

    [Fact]
    public void RequireWritable_OverOtherFiles_RefusesToMixWithThem()
    {
        Directory.CreateDirectory(Site);
        File.WriteAllText(Path.Combine(Site, "thesis.txt"), "");

        IOException error = Assert.Throws<IOException>(() => SiteWriter.RequireWritable(Site, ["01-a"]));

        Assert.Contains($"{Site}: the folder holds other files.", error.Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.GetFileSystemEntries(Site).Select(Path.GetFileName));
    }

    [Fact]
    public void RequireWritable_OverASiteOrAnEmptyFolder_IsFine()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        SiteWriter.RequireWritable(Site, ["01-a"], "pictograms");
        SiteWriter.RequireWritable(Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName, ["01-a"]);
        Assert.True(File.Exists(Path.Combine(Site, "pictograms", "02-broken.html")));
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
    public void Write_OfSeveralAtOnce_LosesNoneOfThem()
    {
        Parallel.For(0, 3, i => SiteWriter.Write(Site, [SampleRuns.All[i]], _options));

        Assert.Equal([Site], Directory.GetFileSystemEntries(_folder));
        Assert.Equal(["00", "01", "02"], Texts(PageOf("index"), ".card .number"));
    }

    [Fact]
    public void Write_ThatFails_LeavesTheFormerSiteAndNothingElse()
    {
        SiteWriter.Write(Site, SampleRuns.All, _options);
        NotebookRun unwritable = SampleRuns.Run(new string('x', 300), "x", "", RunState.Passed, []);
        Assert.ThrowsAny<IOException>(() => SiteWriter.Write(Site, [unwritable], _options));
        Assert.True(File.Exists(Path.Combine(Site, "pictograms", "02-broken.html")));
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
        return PageOf(name == "index" ? name : $"pictograms/{name}");
    }

    private IDocument PageOf(string name) => Parse(File.ReadAllText(Path.Combine(Site, name + ".html")));

    private static string[] Texts(IDocument page, string selector) => [.. page.QuerySelectorAll(selector).Select(element => element.TextContent)];

    private static string?[] Addresses(IDocument page, string selector) => [.. page.QuerySelectorAll(selector).Select(link => link.GetAttribute("href"))];
}
