using ClipOod.Runner.Kernel;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ClipOod.Runner.Tests.Kernel;

// One session for all tests, which run one after the other: it takes longer to start than a cell to run.
public sealed class CSharpCellTests(CellSession session) : IClassFixture<CellSession>
{
    private readonly CellSession _session = session;

    private async Task<string> ValueOfAsync(string source)
    {
        Assert.Null(await _session.RunAsync(source));
        return _session.LastText;
    }

    [Fact]
    public async Task TrailingExpression_IsTheResult()
    {
        Assert.Equal("3", await ValueOfAsync("var x = 1;\nx + 2"));
        Assert.True(Assert.Single(_session.Displayed).IsResult);
    }

    [Theory]
    [InlineData("var x = 1;")]
    [InlineData("Math.Abs(1);")]
    [InlineData("await Task.Delay(1)")]
    [InlineData("void F() { }\nF()")]
    public async Task CellWithoutAValue_ShowsNothing(string source)
    {
        Assert.Null(await _session.RunAsync(source));
        Assert.Empty(_session.Displayed);
    }

    [Fact]
    public async Task TrailingNull_IsShown() => Assert.Equal("<null>", await ValueOfAsync("(string)null"));

    [Fact]
    public async Task State_IsSharedBetweenCells()
    {
        Assert.Null(await _session.RunAsync("using System.Text.Json;\nrecord P(int X);\nint Twice(int y) => 2 * y;\nvar p = new P(4);"));
        Assert.Equal("""{"X":8}""", await ValueOfAsync("JsonSerializer.Serialize(p with { X = Twice(p.X) })"));
    }

    [Theory]
    [InlineData("await Task.FromResult(7)", "7")]
    [InlineData("unsafe { int x = 5; int* y = &x; Console.Out.Flush(); }\n6", "6")]
    [InlineData("new StringBuilder().Append(new List<int> { 1 }.Sum()).ToString()", "1")]
    [InlineData("int[] a = [1, 2, .. new[] { 3 }];\na switch { [.., var last] => last }", "3")]
    [InlineData("((IEnumerable)new[] { 9 }).Cast<int>().First()", "9")]
    public async Task LanguageAndImports_AreThoseOfDotNetInteractive(string source, string value) =>
        Assert.Equal(value, await ValueOfAsync(source));

    [Fact]
    public async Task DisplayFunctions_ShowValuesInOrder()
    {
        Assert.Null(await _session.RunAsync("display(1); \"two\".Display(); display(HTML(\"<b>3</b>\")); display(4, \"text/html\"); 5.Display()"));

        Assert.Equal(["1", "two", "<b>3</b>", null, "5"], _session.Displayed.Select(d => d.Mime.GetValueOrDefault("text/plain")));
        Assert.Equal("<b>3</b>", _session.Displayed.ElementAt(2).Mime["text/html"]);
        Assert.Equal(["text/html"], _session.Displayed.ElementAt(3).Mime.Keys);
        Assert.Equal(5, _session.Displayed.Select(d => d.DisplayId).Distinct().Count());
        Assert.DoesNotContain(_session.Displayed, d => d.IsResult);
    }

    [Fact]
    public async Task DisplayedValue_Update_ReplacesItsOutput()
    {
        Assert.Null(await _session.RunAsync("using System;\nusing Microsoft.DotNet.Interactive;\nvar shown = \"before\".Display();\nshown.Update(\"after\");"));

        ValueDisplayed[] displayed = [.. _session.Displayed];
        Assert.Equal(2, displayed.Length);
        Assert.Equal((displayed[0].DisplayId, true, "after"), (displayed[1].DisplayId, displayed[1].IsUpdate, displayed[1].Mime["text/plain"]));
    }

    [Fact]
    public async Task FormatterRegister_ChangesHowATypeIsShown()
    {
        Assert.Null(await _session.RunAsync(
            "class Point { public int X; }\nFormatter.Register<Point>((p, writer) => writer.Write($\"<i>{p.X}</i>\"), \"text/html\");"));
        Assert.Null(await _session.RunAsync("new Point { X = 3 }"));

        Assert.Equal("<i>3</i>", _session.Displayed.Single().Mime["text/html"]);
    }

    [Fact]
    public async Task ValuesWithMarkup_AreEscapedInHtml()
    {
        Assert.Null(await _session.RunAsync("new { Text = \"<script>alert(1)</script>\" }"));

        Assert.DoesNotContain("<script>alert", _session.Displayed.Single().Mime["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompilationError_NamesLineInTheCell()
    {
        var error = await _session.RunAsync("\nvar a = 1;\nvar b = nowhere;\nint d = \"\";");

        Assert.Equal(("CompilationError", 3), (error!.Type, error.Line));
        Assert.Equal("CS0103: The name 'nowhere' does not exist in the current context", error.Message);
        Assert.Contains("(4,9): error CS0029", error.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exception_NamesLineInTheCellAndTheCellsOnTheStack()
    {
        Assert.Null(await _session.RunAsync("int Invert(int x)\n{\n    return 1 / x;\n}"));
        var error = await _session.RunAsync("var n = 0;\n\nInvert(n)");

        Assert.Equal(("System.DivideByZeroException", 3), (error!.Type, error.Line));
        Assert.StartsWith($"   at cell {_session.Number - 1}, line 3\n   at cell {_session.Number}, line 3\n", error.Details + "\n", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exception_ShowsItsCause()
    {
        var error = await _session.RunAsync(
            "try { int.Parse(\"x\"); } catch (Exception e) { throw new InvalidOperationException(\"outer\", e); }");

        Assert.Equal("outer", error!.Message);
        Assert.Contains("caused by FormatException: The input string 'x'", error.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailedCell_LeavesTheStateUsable()
    {
        Assert.Null(await _session.RunAsync("var kept = 1;"));
        Assert.NotNull(await _session.RunAsync("kept = 2; throw new Exception();"));
        Assert.NotNull(await _session.RunAsync("nonsense"));
        Assert.Equal("2", await ValueOfAsync("kept"));
    }

    [Fact]
    public async Task Time_ShowsHowLongTheRestTook()
    {
        Assert.Null(await _session.RunAsync("#!time\nvar x = 1;"));
        Assert.StartsWith("Wall time: ", _session.LastText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("var a = 1;\n#!pip install numpy", 2, "#!pip install numpy")]
    [InlineData("#!fsharp let", 1, "#!fsharp let")]
    [InlineData("#!import", 1, "#!import")]
    public async Task UnsupportedDirective_NamesTheSupportedOnes(string source, int line, string directive)
    {
        var error = await _session.RunAsync(source);

        Assert.Equal(("DirectiveError", line), (error!.Type, error.Line));
        Assert.Contains(directive, error.Message, StringComparison.Ordinal);
        Assert.Contains("#r \"file.dll\", #r \"nuget: Id, 1.2.3\", #!import file.dib, #!time, #!set, #!share, #!who, #!whos;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnsupportedKernel_NamesTheSupportedOnes()
    {
        var error = await _session.RunAsync("let x = 1", "fsharp");

        Assert.Equal("The kernel 'fsharp' is not supported. Supported kernels: csharp, html, javascript, markdown, mermaid, value.", error!.Message);
    }

    [Fact]
    public async Task Reference_ToAMissingFile_NamesItsFullPath()
    {
        var error = await _session.RunAsync("using System;\n#r \"../none/there.dll\"");

        Assert.Equal(2, error!.Line);
        Assert.Contains(Path.GetFullPath("../none/there.dll", _session.Folder), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reference_ToAnotherBuildOfWhatTheProgramUses_IsAnError()
    {
        string path = Path.Combine(_session.Folder, "Spectre.Console.dll");
        Assert.True(CSharpCompilation.Create("Spectre.Console", [], [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(path, cancellationToken: TestContext.Current.CancellationToken).Success);

        var error = await _session.RunAsync("#r \"Spectre.Console.dll\"");

        Assert.Contains($"{path} is another build than ", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_RunsCellsInTheSameState_RelativeToTheImportingFile()
    {
        Directory.CreateDirectory(Path.Combine(_session.Folder, "sub"));
        File.WriteAllText(Path.Combine(_session.Folder, "sub", "a.dib"), "#!markdown\n# A\n#!csharp\n#!import b.dib\nvar a = b + 1;");
        File.WriteAllText(Path.Combine(_session.Folder, "sub", "b.dib"), "#!csharp\nvar b = 40;");

        Assert.Equal("42", await ValueOfAsync("var c = 1;\n#!import sub/a.dib\na + c"));
        Assert.Equal("# A", _session.Displayed.First().Mime["text/markdown"]);
    }

    [Fact]
    public async Task Import_OfAFileThatFails_FailsWithItsCellAndLine()
    {
        File.WriteAllText(Path.Combine(_session.Folder, "bad.dib"), "#!csharp\nvar fine = 1;\n#!csharp\n\nvar x = 1;\nthrow new Exception(\"boom\");");

        var error = await _session.RunAsync("var before = 1;\n#!import bad.dib\nvar after = 1;");

        Assert.Equal(2, error!.Line);
        Assert.Equal("#!import of bad.dib failed in cell 2, line 2: System.Exception: boom", error.Message);
        Assert.NotNull(await _session.RunAsync("after"));
    }

    [Theory]
    [InlineData("none.dib", "There is no notebook at ")]
    [InlineData("broken.dib", "the metadata under #!meta is not valid JSON")]
    [InlineData("loop.dib", "imports itself")]
    public async Task Import_OfWhatCannotBeRead_SaysWhy(string file, string why)
    {
        File.WriteAllText(Path.Combine(_session.Folder, "broken.dib"), "#!meta\n{\n#!csharp\n1");
        File.WriteAllText(Path.Combine(_session.Folder, "loop.dib"), "#!csharp\n#!import loop.dib");

        var error = await _session.RunAsync($"#!import {file}");

        Assert.Equal("DirectiveError", error!.Type);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("markdown", "text/markdown", "# A <b>")]
    [InlineData("html", "text/html", "<b>x</b>")]
    [InlineData("mermaid", "text/vnd.mermaid", "graph TD; A-->B")]
    [InlineData("javascript", "application/javascript", "let x = 1")]
    public async Task OtherKernels_ShowTheirSource(string kernel, string mimeType, string shown)
    {
        Assert.Null(await _session.RunAsync(shown, kernel));
        Assert.Equal(shown, _session.Displayed.Single().Mime[mimeType]);
    }

    [Fact]
    public async Task Prose_MayHoldLinesThatAreDirectivesElsewhere()
    {
        const string Prose = "Write\n#!time\n#r \"nuget: X\"";
        Assert.Null(await _session.RunAsync(Prose, "markdown"));
        Assert.Equal(Prose, _session.Displayed.Single().Mime["text/markdown"]);
    }

    [Fact]
    public async Task Time_InAnyOrder_KeepsLineNumbers()
    {
        var error = await _session.RunAsync("var first = 1;\n#!time\nvar second = 1;\nthrow new Exception();");
        Assert.Equal(4, error!.Line);
    }

    [Fact]
    public async Task TrailingDisplay_ShowsTheValueAndNotItsHandle()
    {
        Assert.Null(await _session.RunAsync("5.Display()"));
        Assert.Equal("5", Assert.Single(_session.Displayed).Mime["text/plain"]);
    }

    [Fact]
    public async Task Who_ListsTheVariables()
    {
        Assert.Null(await _session.RunAsync("int listed = 1;"));
        Assert.Null(await _session.RunAsync("#!who"));
        Assert.Contains("listed", Assert.Single(_session.Displayed).Mime["text/html"], StringComparison.Ordinal);
        Assert.Null(await _session.RunAsync("#!whos"));
        Assert.Contains("System.Int32", Assert.Single(_session.Displayed).Mime["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_AreSharedBetweenKernels()
    {
        Assert.Null(await _session.RunAsync("#!value --name note\n1 < 2", "value"));
        Assert.Equal("1 < 2", await ValueOfAsync("#!share note --from value\nnote"));
        Assert.Equal("1 < 2!", await ValueOfAsync("#!set --name other --value @value:note\nother + \"!\""));
        Assert.Null(await _session.RunAsync("var pair = new { A = 1 };"));
        Assert.Null(await _session.RunAsync("#!share pair --from csharp\nreturn pair.A;", "javascript"));
        Assert.Equal(["pair = {\"A\":1};", "\nreturn pair.A;"], _session.Displayed.Select(display => display.Mime["application/javascript"]));
    }

    [Fact]
    public async Task Share_OfAValueThatIsNotThere_NamesIt()
    {
        var error = await _session.RunAsync("var a = 1;\n#!share nowhere --from value");

        Assert.Equal(("DirectiveError", 2), (error!.Type, error.Line));
        Assert.Contains("'nowhere' not found", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nuget: CsCheck")]
    [InlineData("nuget: CsCheck, *")]
    [InlineData("nuget: CsCheck, 5.*")]
    [InlineData("nuget: CsCheck, [5.0.0, 6.0.0)")]
    [InlineData("nuget: , 1.0.0")]
    public async Task Package_WithoutAnExactVersion_IsRefusedWithAdvice(string package)
    {
        var error = await _session.RunAsync($"using System;\n#r \"{package}\"");

        Assert.Equal(("DirectiveError", 2), (error!.Type, error.Line));
        Assert.Contains(", 1.2.3\"", error.Message, StringComparison.Ordinal);
    }

    // The package is one that the tests themselves need, so that no network is.
    [Fact]
    public async Task Package_IsRestored_AndLineNumbersStay()
    {
        Assert.Equal("CsCheck", await ValueOfAsync("using System;\n#r \"nuget: CsCheck, 5.0.1\"\ntypeof(CsCheck.Gen).Assembly.GetName().Name"));
        Assert.Equal("True", await ValueOfAsync("#r \"nuget: CsCheck, 5.0.1\"\nCsCheck.Gen.Int is not null"));
    }

    [Fact]
    public async Task Package_ThatCannotBeRestored_IsNamedWithAHint()
    {
        var error = await _session.RunAsync("var a = 1;\n#r \"nuget: Clip.Ood.No.Such.Package, 1.2.3\"\nvar b = 1;");

        Assert.Equal(("DirectiveError", 2), (error!.Type, error.Line));
        Assert.StartsWith("'#r \"nuget: Clip.Ood.No.Such.Package, 1.2.3\"': the package cannot be restored.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Without a network only packages that were restored on this machine before", error.Message, StringComparison.Ordinal);
    }

    // Wherever a reader of pieces might cut them: the pieces of the engine's own reader end every 4,096 bytes.
    [Fact]
    public async Task Import_OfCharactersBeyondAscii_KeepsThemAtEveryOffset()
    {
        const string Text = "−é漢🙂";
        for (int shift = 0; shift < 4; shift++)
        {
            string cells = $"#!csharp\n//{new string('x', shift)}{string.Concat(Enumerable.Repeat(Text, 700))}\nvar text = \"{string.Concat(Enumerable.Repeat(Text, 700))}\";";
            File.WriteAllText(Path.Combine(_session.Folder, "wide.dib"), cells.ReplaceLineEndings("\r\n"), new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

            Assert.Equal("True", await ValueOfAsync($"#!import wide.dib\ntext == string.Concat(Enumerable.Repeat(\"{Text}\", 700))"));
        }
    }
}
