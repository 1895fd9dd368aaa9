using System.Diagnostics;
using System.Text.Json;
using ClipOod.Runner.Commands;
using ClipOod.Runner.Execution;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

public sealed class ClipOodCommandTests : IDisposable
{
    private readonly TemporaryWorkbook _workbook = new();

    public void Dispose() => _workbook.Dispose();

    private string Site => Path.Combine(_workbook.Root, "site");

    private string Report => Path.Combine(_workbook.Root, "report.json");

    private IEnumerable<string?> Pages() =>
        Directory.GetFiles(Path.Combine(Site, "notebooks")).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private string[] Run => ["run", "--no-world", "--notebooks", _workbook.Notebooks, "--expected", _workbook.Expected, "--output", Site];

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => InvokeAsync([.. Run, .. arguments]);

    [Fact]
    public async Task Run_OfGoodNotebooks_Gives0AndAReport()
    {
        _workbook.AddCells("01-a", "1");
        _workbook.AddCells("02-b", "2");

        var (code, output, error) = await InvokeAsync(runner: null, [.. Run, "--report", Report]);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("passed    01-a", output, StringComparison.Ordinal);
        Assert.Contains("2 of 2 notebooks passed", output, StringComparison.Ordinal);
        Assert.Contains($"Open {Path.Combine(Site, "index.html")}", output, StringComparison.Ordinal);
        Assert.Equal(["01-a.html", "02-b.html", "index.html"], Pages());
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(Report));
        JsonElement[] notebooks = [.. report.RootElement.GetProperty("notebooks").EnumerateArray()];
        Assert.Equal(["01-a", "02-b"], notebooks.Select(notebook => notebook.GetProperty("id").GetString()));
        Assert.All(notebooks, notebook => Assert.Equal("passed", notebook.GetProperty("state").GetString()));
        Assert.Equal(1, notebooks[0].GetProperty("cells")[0].GetProperty("number").GetInt32());
    }

    [Fact]
    public async Task Run_WithAFailingCell_Gives1AndNamesCellAndLine()
    {
        _workbook.AddCells("01-a", "1", "var a = 1;\nvar x = y;");

        var (code, output, _) = await RunAsync("--report", Report, "--quiet");

        Assert.Equal(1, code);
        Assert.StartsWith("01-a, cell 2, line 2: CompilationError", output, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(Report));
        Assert.False(report.RootElement.GetProperty("passed").GetBoolean());
        Assert.Equal(2, report.RootElement.GetProperty("notebooks")[0].GetProperty("cells")[1].GetProperty("error").GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task Results_AreNewThenRecordedThenCompared()
    {
        string[] cells = [HostCalls.Declare, HostCalls.Ask, "Declare(\"accuracy\", double.Parse(Ask(\"accuracy\") ?? \"0.5\"), 0.01);"];
        _workbook.AddCells("01-a", cells);

        var before = await RunAsync();
        Assert.Equal(1, before.Code);
        Assert.Contains("not recorded", before.Output, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("--record")).Code);
        Assert.Equal(0, (await RunAsync()).Code);

        // With a parameter the difference is shown, but it is no failure.
        var other = await RunAsync("--param", "accuracy=0.75");
        Assert.Equal(0, other.Code);
        Assert.Contains("differs", other.Output, StringComparison.Ordinal);

        _workbook.AddCells("01-a", [.. cells[..2], "Declare(\"accuracy\", 0.75, 0.01);"]);
        var after = await RunAsync();
        Assert.Equal(1, after.Code);
        Assert.Contains("differs", after.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResultDeclaredWithTwoValues_FailsItsCell()
    {
        _workbook.AddCells("01-a", HostCalls.Declare, "Declare(\"r\", 1, 0);\nDeclare(\"r\", 1, 0);", "Declare(\"r\", 2, 0);");

        var (code, output, _) = await RunAsync();

        Assert.Equal(1, code);
        Assert.Contains("The result 'r' is declared with two values, in cells 2 and 3.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PartialRuns_LeaveTheOtherPages_AndParametersMakeVariants()
    {
        _workbook.AddCells("01-a", HostCalls.Ask, "Ask(\"seed\") ?? \"none\"");
        _workbook.AddCells("02-b", "\"former\"");
        _workbook.AddCells("03-c", "1");

        var first = await RunAsync("--only", "2");
        Assert.Equal(0, first.Code);
        Assert.Contains($"Open {Path.Combine(Site, "notebooks", "02-b.html")}", first.Output, StringComparison.Ordinal);
        Assert.Equal(["01-a.html", "02-b.html", "03-c.html", "index.html"], Pages());
        Assert.Contains("Not run yet", Read("01-a.html"), StringComparison.Ordinal);

        _workbook.Add("03-c", "#!meta\n{ in the midst of");
        Assert.Equal(0, (await RunAsync("--only", "1", "--param", "seed=five")).Code);
        Assert.Equal(["01-a.html", "01-a.seed=five.html", "02-b.html", "03-c.html", "index.html"], Pages());
        Assert.Contains("five", Read("01-a.seed=five.html"), StringComparison.Ordinal);
        Assert.Contains("Not run yet", Read("01-a.html"), StringComparison.Ordinal);
        Assert.Contains("former", Read("02-b.html"), StringComparison.Ordinal);

        // A notebook that asks for none of the parameters gives what it gives without them.
        _workbook.AddCells("02-b", "\"later\"");
        _workbook.AddCells("03-c", "1");
        Assert.Equal(0, (await RunAsync("--param", "seed=six")).Code);
        Assert.Contains("later", Read("02-b.html"), StringComparison.Ordinal);
        Assert.Contains("Not run yet", Read("01-a.html"), StringComparison.Ordinal);
        Assert.Contains("01-a.seed=six.html", Pages());

        string Read(string page) => File.ReadAllText(Path.Combine(Site, "notebooks", page));
    }

    [Fact]
    public async Task Parameter_ThatNoNotebookAskedFor_ListsThoseThatWere()
    {
        _workbook.AddCells("01-a", HostCalls.Ask, "Ask(\"seed\");");

        var (code, _, error) = await RunAsync("--param", "sede=1");

        Assert.Equal(2, code);
        Assert.Equal("No notebook of this run asked for the parameter 'sede'. Parameters asked for: seed.", error.Trim());
    }

    [Fact]
    public async Task MalformedNotebook_IsNamedWithItsLine_AndNothingIsWritten()
    {
        _workbook.AddCells("01-a", "1");
        _workbook.Add("02-b", "#!meta\n{ oops }\n#!csharp\n1");

        var (code, output, error) = await RunAsync("--report", Report);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("02-b.dib(2): the metadata under #!meta is not valid JSON", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Report));
        Assert.False(Directory.Exists(Site));
    }

    [Theory]
    [InlineData("--only", "07", "There is no notebook '07' in ", "Known notebooks: 01-a, 02-b.")]
    [InlineData("--notebooks", "no/such", "There is no folder ", "Check --notebooks.")]
    [InlineData("--param", "seed", "--param seed: expected NAME=VALUE", "--param seed=1")]
    [InlineData("--cell-timeout", "0", "--cell-timeout must be a number of seconds above 0", "")]
    [InlineData("--cell-timeout", "soon", "--cell-timeout must be a number of seconds above 0", "Got 'soon'.")]
    [InlineData("--timeout", "0,5", "--timeout must be a number of seconds above 0", "Got '0,5'.")]
    [InlineData("--processes", "0", "--processes must be at least 1.", "Got '0'.")]
    [InlineData("--processes", "two", "--processes must be at least 1.", "Got 'two'.")]
    [InlineData("--bogus", "1", "--bogus", "See clipood --help.")]
    public async Task BadArgument_Gives2AndSaysWhatToDo(string option, string value, string start, string end)
    {
        _workbook.AddCells("01-a", "1");
        _workbook.AddCells("02-b", "1");

        var (code, output, error) = await InvokeAsync(
            ["run", "--no-world", .. option == "--notebooks" ? (string[])[] : ["--notebooks", _workbook.Notebooks], option, value]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(start, error, StringComparison.Ordinal);
        Assert.Contains(end, error, StringComparison.Ordinal);
    }

    // Each before the first cell runs: the run may take minutes.
    [Fact]
    public async Task WhatCannotBeWrittenOrRead_IsSaidBeforeTheRun()
    {
        _workbook.AddCells("01-a", $"System.IO.File.WriteAllText(@\"{Path.Combine(_workbook.Root, "ran")}\", \"\");");
        string taken = Directory.CreateDirectory(Path.Combine(_workbook.Root, "taken")).FullName;
        string thesis = Path.Combine(taken, "thesis.txt");
        File.WriteAllText(thesis, "");

        await AssertRefusedAsync("the folder holds other files", "--output", taken);
        await AssertRefusedAsync("thesis.txt is a file, expected a folder", "--output", Path.Combine(thesis, "site"));
        await AssertRefusedAsync("is a folder, expected a file", "--report", taken);
        Directory.CreateDirectory(_workbook.Expected);
        File.WriteAllText(Path.Combine(_workbook.Expected, "01.json"), "[");
        await AssertRefusedAsync("01.json: not a file of recorded results");
        Assert.True(File.Exists(thesis));

        async Task AssertRefusedAsync(string says, params string[] arguments)
        {
            var (code, output, error) = await InvokeAsync(
                ["run", "--no-world", "--notebooks", _workbook.Notebooks, "--expected", _workbook.Expected,
                    .. arguments.Contains("--output") ? (string[])[] : ["--output", Site], .. arguments]);

            Assert.Equal((2, ""), (code, output));
            Assert.Contains(says, error, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(_workbook.Root, "ran")));
            Assert.False(Directory.Exists(Site));
        }
    }

    [Fact]
    public async Task TwoNotebooksOfOneNumber_AreNamed()
    {
        _workbook.AddCells("01-a", "1");
        _workbook.AddCells("01-b", "1");

        var (code, _, error) = await RunAsync();

        Assert.Equal(2, code);
        Assert.Contains("the number 01: 01-a.dib, 01-b.dib", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parameter_ThatAFailedNotebookMayHaveAskedFor_IsNoErrorOfItsOwn()
    {
        _workbook.AddCells("01-a", "nonsense", HostCalls.Ask);

        var (code, _, error) = await RunAsync("--param", "seed=1");

        Assert.Equal((1, ""), (code, error));
        Assert.Equal(["01-a.html", "01-a.seed=1.html", "index.html"], Pages());
    }

    [Fact]
    public async Task UnknownTexCommand_FailsItsCell()
    {
        _workbook.Add("01-a", "#!markdown\nText\n\n$\\nosuch$\n");

        var (code, output, _) = await RunAsync();

        Assert.Equal(1, code);
        Assert.StartsWith("failed    01-a", output, StringComparison.Ordinal);
        Assert.Contains("01-a, cell 1, line 3: TexError", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", 0)]
    [InlineData("nonsense", 1)]
    public async Task Export_WritesTheNotebookWithItsOutputs_AlsoWhereACellFails(string source, int expectedCode)
    {
        _workbook.AddCells("01-a", "\"shown\"", source);
        string path = Path.Combine(_workbook.Root, "out", "a.ipynb");

        var (code, output, _) = await InvokeAsync(
            "export", "1", "--to", "ipynb", "--no-world", "--notebooks", _workbook.Notebooks, "--output", path);

        Assert.Equal(expectedCode, code);
        Assert.Contains($"Wrote {path}", output, StringComparison.Ordinal);
        using JsonDocument notebook = JsonDocument.Parse(File.ReadAllText(path));
        Assert.Equal(2, notebook.RootElement.GetProperty("cells").GetArrayLength());
        Assert.Contains("shown", notebook.RootElement.GetProperty("cells")[0].GetProperty("outputs").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_ForAHost_RunsNothing_AndResolvesReferences()
    {
        string ran = Path.Combine(_workbook.Root, "ran");
        _workbook.AddCells("01-a", $"System.IO.File.WriteAllText(@\"{ran}\", \"\");", "#r \"../a.dll\"");
        foreach ((string file, string[] options) in new[] { ("a.ipynb", (string[])["--to", "ipynb", "--no-run"]), ("b.ipynb", ["--for", "jupyter"]), ("c.dib", ["--for", "verso"]) })
        {
            string path = Path.Combine(_workbook.Root, file);

            var (code, output, error) = await InvokeAsync(["export", "1", .. options, "--notebooks", _workbook.Notebooks, "--output", path]);

            Assert.Equal((0, $"Wrote {path}", ""), (code, output.Trim(), error));
            Assert.Contains(Path.Combine(_workbook.Root, "a.dll").Replace("\\", "\\\\", StringComparison.Ordinal), File.ReadAllText(path), StringComparison.Ordinal);
        }

        Assert.False(File.Exists(ran));
    }

    [Theory]
    [InlineData("Give either --to ipynb")]
    [InlineData("Give either --to ipynb", "--to", "ipynb", "--for", "jupyter")]
    [InlineData("2 notebooks are to be saved", "--for", "verso", "--output", "x.dib")]
    public async Task Export_WithoutOneFormatOrOneFile_SaysWhatToGive(string says, params string[] arguments)
    {
        _workbook.AddCells("01-a", "1");
        _workbook.AddCells("02-b", "1");

        var (code, output, error) = await InvokeAsync(["export", "--notebooks", _workbook.Notebooks, .. arguments]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_OfAFormulaThatCannotBeSet_NamesItsLine()
    {
        _workbook.Add("01-a", "#!markdown\nText\n\n$\\nosuch$\n");

        var (code, _, error) = await InvokeAsync("export", "--for", "verso", "--notebooks", _workbook.Notebooks, "--output", Path.Combine(_workbook.Root, "x.dib"));

        Assert.Equal(2, code);
        Assert.Contains("01-a, cell 1, line 3: TexError", error, StringComparison.Ordinal);
    }

    // In a process of its own: the environment is the whole process's.
    [Fact]
    public async Task JupyterInstall_LeavesTheKernelOfSomebodyElse()
    {
        string kernel = Path.Combine(Directory.CreateDirectory(Path.Combine(_workbook.Root, "kernels", ".net-csharp")).FullName, "kernel.json");
        File.WriteAllText(kernel, "{}");
        var start = new ProcessStartInfo(DotnetHost.Path, ["exec", typeof(ClipOodCommand).Assembly.Location, "jupyter", "install"]) { RedirectStandardError = true };
        start.Environment["JUPYTER_DATA_DIR"] = _workbook.Root;

        using Process process = Process.Start(start)!;
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, process.ExitCode);
        Assert.Contains($"{kernel} is there already, and clipood did not write it.", error, StringComparison.Ordinal);
        Assert.Equal("{}", File.ReadAllText(kernel));
    }

    // In a process of its own: the environment is the whole process's.
    [Theory]
    [InlineData(null, "CLIPOOD_FEATURES is not set")]
    [InlineData("/no/such/folder", "/no/such/folder")]
    public async Task MissingWorld_IsSaidOnce_AndNothingIsWritten(string? folder, string says)
    {
        _workbook.AddCells("01-a", "1");
        var start = new ProcessStartInfo(
            DotnetHost.Path, ["exec", typeof(ClipOodCommand).Assembly.Location, "run", "--world", "clip-features", "--notebooks", _workbook.Notebooks, "--output", Site])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CLIPOOD_FEATURES"] = folder;
        start.Environment["CLIPOOD_DATA"] = _workbook.Root;

        using Process process = Process.Start(start)!;
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith("The world 'clip-features' is missing", error, StringComparison.Ordinal);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Site));
    }

    [Fact]
    public async Task UnknownWorld_IsAnsweredWithThoseThereAre()
    {
        _workbook.AddCells("01-a", "1");

        var (code, _, error) = await RunAsync("--world", "middle-earth");

        Assert.Equal(2, code);
        Assert.Contains("--world middle-earth: there is no such world. Near are ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FolderWithoutNotebooks_IsNamed()
    {
        var (code, _, error) = await RunAsync();

        Assert.Equal(2, code);
        Assert.Contains($"{_workbook.Notebooks} holds no .dib files", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3", "03-c")]
    [InlineData("03", "03-c")]
    [InlineData("03-c", "03-c")]
    [InlineData("03-c.dib", "03-c")]
    [InlineData("notes", "notes")]
    [InlineData("20261123120000", "20261123120000-long")]
    public void Only_TakesNumbersAndNames(string only, string id)
    {
        _workbook.AddCells("03-c", "1");
        _workbook.AddCells("13-d", "1");
        _workbook.AddCells("notes", "1");
        _workbook.AddCells("20261123120000-long", "1");

        Assert.Equal([id], NotebookFile.Find(_workbook.Notebooks, [only]).Select(notebook => notebook.Id));
    }

    [Fact]
    public async Task Help_ShowsCommandsAndExamples()
    {
        var (code, output, _) = await InvokeAsync("--help");

        Assert.Equal(0, code);
        Assert.Contains("doctor", output, StringComparison.Ordinal);
        Assert.Contains("clipood run --only 03", output, StringComparison.Ordinal);
    }
}
