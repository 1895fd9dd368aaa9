using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using ClipOod.Runner.Commands;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>What README, pages and the help tell a reader to type is a command that exists, spelt as there.</summary>
public sealed partial class MentionedCommandTests
{
    public static TheoryData<string> Files =>
    [
        "README.md", "environment.md", Path.Combine("data", "README.md"),
        .. Directory.GetFiles(Path.Combine(Repository.Root, "notebooks"), "*.dib").Order(StringComparer.Ordinal).Select(path => Path.GetRelativePath(Repository.Root, path)),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Commands_OfAFile_Parse(string file) => AssertParse(File.ReadAllText(Path.Combine(Repository.Root, file)), 0);

    [Fact]
    public async Task Commands_OfTheHelp_Parse()
    {
        using var output = new StringWriter();
        await ClipOodCommand.InvokeAsync(["--help"], output, TextWriter.Null);

        AssertParse(output.ToString(), 11);
    }

    private static void AssertParse(string text, int atLeast)
    {
        string[] commands = [.. Mention().Matches(text).Select(match => match.Groups[1].Value.Trim())];

        Assert.True(commands.Length >= atLeast, $"Only {commands.Length} commands found.");
        Assert.All(commands, command =>
        {
            ParseResult result = ClipOodCommand.Root().Parse([.. CommandLineParser.SplitCommandLine(command)]);
            Assert.True(result.Errors.Count == 0, $"clipood {command}: {string.Join(' ', result.Errors.Select(error => error.Message))}");
        });
    }

    // Up to the end of the code span, of the line, or to what explains the command.
    [GeneratedRegex(@"clipood ((?:run|fetch|list|verify|encode|merge|export|train|detect|evaluate|results|doctor|jupyter)\b(?:(?!\s\s|\s#)[^`\r\n])*)")]
    private static partial Regex Mention();
}
