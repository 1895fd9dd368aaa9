using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Downloading;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood verify</c>: reads what was fetched again and compares it with the published hashes, or with what came where there is none.</summary>
internal sealed class VerifyCommand : Command
{
    private readonly Argument<string[]> _names = new("name")
    {
        Description = "What to verify [default: all that is here]",
        HelpName = "NAME",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public VerifyCommand()
        : base("verify", "Read what was fetched again and compare it with its hashes")
    {
        Arguments.Add(_names);
        SetAction(VerifyAsync);
    }

    private async Task<int> VerifyAsync(ParseResult parse, CancellationToken cancellation)
    {
        IAnsiConsole console = Terminal.On(parse.InvocationConfiguration.Output);
        TextWriter error = parse.InvocationConfiguration.Error;
        string[] names = parse.GetValue(_names) ?? [];
        SourceEntry[] entries = [.. names.Length > 0 ? Sources.Named(names) : SourceCatalog.All.Where(entry => entry.Files.Any(file => File.Exists(entry.PathOf(file))))];
        int bad = 0, good = 0;
        foreach (SourceEntry entry in entries)
        {
            Receipts receipts = Receipts.Of(entry.Folder);
            foreach (SourceFile file in entry.Files)
            {
                FileRequest request = Sources.RequestFor(entry, file);
                FileReceipt? receipt = receipts[file.Path];
                bool isAccepted = receipt is { IsAsExpected: false } && request.HasHash;
                if (receipt is not null && (isAccepted || !request.HasHash))
                {
                    request = request with { Bytes = receipt.Bytes, Sha256 = receipt.Sha256, Md5 = null };
                }

                string? problem = null;
                if (!File.Exists(request.Path))
                {
                    problem = file.Optional ? null : $"is missing: run clipood fetch {entry.Name}";
                }
                else if ((await Downloader.VerifyAsync(request, new FileProgress(), cancellation)).Difference is string difference)
                {
                    problem = $"is damaged: {difference}. Delete {request.Path} and run clipood fetch {entry.Name}";
                }
                else
                {
                    good++;
                    console.WriteLine($"{request.Name}: {(isAccepted ? "as it came, NOT as published" : !request.HasHash ? "no hash is published and none was recorded" : receipt is { IsAsExpected: false } ? "as it came; no hash is published" : "as published")}");
                }

                if (problem is not null)
                {
                    bad++;
                    await error.WriteLineAsync($"{request.Name} {problem}");
                }
            }
        }

        console.WriteLine(entries.Length == 0 ? $"Nothing is here: {LocalData.Root} holds nothing of the catalogue." : $"{good} files verified, {bad} damaged or missing.");
        return bad == 0 ? ExitCodes.Passed : ExitCodes.Failed;
    }
}
