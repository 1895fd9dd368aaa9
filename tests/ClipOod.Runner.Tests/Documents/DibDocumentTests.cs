using System.Text.Json.Nodes;
using ClipOod.Runner.Documents;
using CsCheck;

namespace ClipOod.Runner.Tests.Documents;

public class DibDocumentTests
{
    private static readonly Gen<string> _line = Gen.OneOf(
        "", " ", "\t", "var x = 1;", "# Title", "#!time", "#! csharp", " #!csharp", "#!csharp ", "#!CSHARP", "#r \"a.dll\"", "é ∑ 漢", "a\rb");

    private static readonly Gen<DibCell> _cell = Gen.Select(
        Gen.OneOf(["csharp", "markdown", "html", "javascript", "fsharp", "pwsh", "value"]),
        _line.Array[0, 6],
        (kernel, lines) => new DibCell(kernel, string.Join('\n', lines)));

    private static readonly Gen<JsonObject?> _metadata = Gen.OneOf(
        Gen.Const(() => (JsonObject?)null),
        Gen.Const(() => (JsonObject?)JsonNode.Parse("""{"kernelInfo":{"defaultKernelName":"csharp","items":[{"aliases":["c#"],"name":"csharp"}]}}""")),
        Gen.Const(() => (JsonObject?)JsonNode.Parse("""{"a":[1,{"b":"#!csharp"}]}""")));

    private static readonly Gen<DibDocument> _document =
        Gen.Select(_cell.Array[0, 6], _metadata, (cells, metadata) => new DibDocument(cells, metadata));

    [Fact]
    public void WriteThenRead_GivesTheSameDocument() =>
        _document.Sample(document =>
            DibDocument.Parse(document.ToText()).Equals(document) && DibDocument.Parse(document.ToText("\r\n")).Equals(document));

    [Fact]
    public void ReadThenWriteThenRead_OfAnyLines_GivesTheSameDocument() =>
        Gen.OneOf(_line, Gen.OneOf("#!csharp", "#!md", "#!f#", "#!js")).Array[0, 12].Sample(lines =>
        {
            var document = DibDocument.Parse(string.Join('\n', lines));
            return DibDocument.Parse(document.ToText()).Equals(document);
        });

    [Fact]
    public void Text_IsWrittenAsDotNetInteractiveDoes() =>
        Assert.Equal(
            "#!meta\n\n{\"a\":1}\n\n#!markdown\n\n# T\n\n#!csharp\n\n1\n\n2\n",
            new DibDocument([new DibCell("markdown", "# T"), new DibCell("csharp", "\n1\n\n2\n\n")], new JsonObject { ["a"] = 1 }).ToText());

    [Theory]
    [InlineData("#!c#", "csharp")]
    [InlineData("#!C#", "csharp")]
    [InlineData("#!md", "markdown")]
    [InlineData("#!js", "javascript")]
    [InlineData("#!powershell", "pwsh")]
    [InlineData("#!F#", "fsharp")]
    public void Alias_OpensACellOfItsKernel(string line, string kernel) =>
        Assert.Equal([new DibCell("markdown", "a"), new DibCell(kernel, "b")], DibDocument.Parse($"#!markdown\na\n{line}\nb").Cells);

    [Theory]
    [InlineData(" #!csharp")]
    [InlineData("#!csharp ")]
    [InlineData("#!CSharp")]
    [InlineData("#!csharp // why")]
    [InlineData("#!fortran")]
    public void LineThatIsNotExactlyAName_StaysInItsCell(string line) =>
        Assert.Equal([new DibCell("markdown", $"a\n{line}\nb")], DibDocument.Parse($"#!markdown\na\n{line}\nb").Cells);

    [Fact]
    public void CellBeforeAnyName_IsCSharp() =>
        Assert.Equal([new DibCell("csharp", "1 + 1")], DibDocument.Parse("\n1 + 1\n").Cells);

    [Fact]
    public void OnlyEmptyLinesAtTheEnds_AreTrimmed() =>
        Assert.Equal([new DibCell("csharp", "  \n  a  \n\t")], DibDocument.Parse("#!csharp\n\n\n  \n  a  \n\t\n\n").Cells);

    [Fact]
    public void CellsWithNothingInThem_AreDropped() =>
        Assert.Equal([new DibCell("html", "<b>")], DibDocument.Parse("#!csharp\n\n#!markdown\n#!html\n<b>\n#!csharp\n").Cells);

    [Fact]
    public void Metadata_RunsToTheNextHashBangLine_AndDeclaresKernels()
    {
        var document = DibDocument.Parse(
            "#!meta\n{\"kernelInfo\":\n{\"items\":[{\"name\":\"julia\",\"aliases\":[\"jl\"]}]}}\n#!jl\nx\n#!julia\ny\n#!meta\nz");

        Assert.Equal([new DibCell("julia", "x"), new DibCell("julia", "y\n#!meta\nz")], document.Cells);
        Assert.Equal("julia", (string?)document.Metadata!["kernelInfo"]!["items"]![0]!["name"]);
    }

    [Fact]
    public void Metadata_OfAKnownKernel_GivesItNoFurtherAlias() =>
        Assert.Equal(
            [new DibCell("csharp", "1\n#!cs\n2")],
            DibDocument.Parse("#!meta\n{\"kernelInfo\":{\"items\":[{\"name\":\"csharp\",\"aliases\":[\"cs\"]}]}}\n#!csharp\n1\n#!cs\n2").Cells);

    [Fact]
    public void Metadata_ThatTakesANameOfAnotherKernel_IsAnError()
    {
        var error = Assert.Throws<DibFormatException>(
            () => DibDocument.Parse("#!meta\n{\"kernelInfo\":{\"items\":[{\"name\":\"julia\",\"aliases\":[\"md\"]}]}}\n", "05-x.dib"));

        Assert.StartsWith("05-x.dib(2): the metadata under #!meta declares a kernel with the name or alias 'md', which another kernel has.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!markdown\na\n#!meta\n{\n\"a\": oops\n}\n#!csharp\n1", 5)]
    [InlineData("#!meta\n#!csharp\n1", 2)]
    [InlineData("#!meta\n\n[1, 2]\n", 2)]
    [InlineData("#!meta\n{\"a\":1", 2)]
    public void MalformedMetadata_NamesFileAndLine(string text, int line)
    {
        var error = Assert.Throws<DibFormatException>(() => DibDocument.Parse(text, "folder/05-x.dib"));

        Assert.Equal(line, error.Line);
        Assert.StartsWith($"folder/05-x.dib({line}): the metadata under #!meta is not ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\n#!csharp\nb")]
    [InlineData("#!meta\nb")]
    public void CellThatWouldFallApart_IsNotWritten(string source)
    {
        var error = Assert.Throws<InvalidOperationException>(() => new DibDocument([new DibCell("markdown", source)]).ToText());

        Assert.StartsWith("Cell 1 holds the line '#!", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFile_IsNamed()
    {
        var error = Assert.Throws<FileNotFoundException>(() => DibDocument.Load("no-such.dib"));

        Assert.Contains(Path.GetFullPath("no-such.dib"), error.Message, StringComparison.Ordinal);
    }

    // Wherever a reader of pieces might cut them: the engine's own reader of files cuts every 4,096 bytes.
    [Theory]
    [InlineData(false, "\n")]
    [InlineData(true, "\r\n")]
    public void File_WithCharactersBeyondAscii_KeepsThemAtEveryOffset(bool byteOrderMark, string newLine)
    {
        string path = Path.GetTempFileName();
        try
        {
            for (int shift = 0; shift < 4; shift++)
            {
                var document = new DibDocument([new DibCell("markdown", new string('x', shift) + string.Concat(Enumerable.Repeat("−é漢🙂", 2000))), new DibCell("csharp", "1")]);
                File.WriteAllText(path, document.ToText(newLine), new System.Text.UTF8Encoding(byteOrderMark));

                Assert.Equal(document, DibDocument.Load(path));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void FileThatIsNotUtf8_IsNamed()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. "#!markdown\n"u8, 0xE9, .. "t"u8]);

            Assert.StartsWith($"{path} is not UTF-8: ", Assert.Throws<InvalidDataException>(() => DibDocument.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
