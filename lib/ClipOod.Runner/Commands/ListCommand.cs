using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Downloading;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood list</c>: what can be fetched, what it takes, what it is for, and what is here.</summary>
internal sealed class ListCommand : Command
{
    private readonly Argument<string[]> _names = new("name")
    {
        Description = "Show all that is known of these",
        HelpName = "NAME",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public ListCommand()
        : base("list", "List what can be fetched: what is here, what it takes, and what it is for")
    {
        Arguments.Add(_names);
        SetAction(List);
    }

    private int List(ParseResult parse)
    {
        IAnsiConsole console = Terminal.On(parse.InvocationConfiguration.Output);
        if (parse.GetValue(_names) is { Length: > 0 } names)
        {
            foreach (SourceEntry entry in Sources.Named(names))
            {
                Show(console, entry);
            }

            return ExitCodes.Passed;
        }

        Table table = new Table().AddColumns("name", "what it is", "size", "here", "what it is for");
        foreach (SourceEntry entry in SourceCatalog.All)
        {
            table.AddRow([.. new[] { entry.Name, entry.Title, Sources.Size(entry), StateOf(entry), entry.Purpose }.Select(Markup.Escape)]);
        }

        console.Write(table);
        console.WriteLine($"Everything lies below {LocalData.Root} ({LocalData.FolderVariable} names another folder). More of one: clipood list NAME. Get it: clipood fetch NAME");
        return ExitCodes.Passed;
    }

    private static string StateOf(SourceEntry entry)
    {
        int here = entry.Files.Count(file => File.Exists(entry.PathOf(file)));
        return entry.IsHere ? "yes"
            : here > 0 || entry.Files.Any(file => File.Exists(PartialFile.PathOf(entry.PathOf(file)))) ? "in part"
            : entry.Manual is not null ? "by hand"
            : "no";
    }

    private static void Show(IAnsiConsole console, SourceEntry entry)
    {
        console.WriteLine($"{entry.Name}: {entry.Title}, {Sources.Size(entry)}; {entry.Purpose}");
        foreach ((string what, string? value) in new (string, string?)[]
        {
            ("here", $"{StateOf(entry)}, {entry.Folder}"),
            ("licence", entry.Licence),
            ("cite", entry.Citation),
            ("classes", entry.Classes?.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)),
            ("images", entry.Images?.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)),
            ("splits", entry.Splits is null ? null : string.Join(", ", entry.Splits.Select(split => FormattableString.Invariant($"{split.Key} {split.Value:N0}")))),
            ("layout", entry.Layout),
            ("by hand", entry.Manual),
            ("note", entry.Note),
        })
        {
            if (value is not null)
            {
                console.WriteLine($"  {what,-8} {value}");
            }
        }

        foreach (SourceFile file in entry.Files)
        {
            string hash = file.Sha256 is string sha256 ? $"SHA-256 {sha256}" : file.Md5 is string md5 ? $"MD5 {md5}" : "no hash published";
            console.WriteLine($"  {file.Path}, {(file.Bytes is long bytes ? Sources.Size(bytes) : "size not stated")}, {hash}{(file.Optional ? ", can be left out" : "")}");
            foreach (string address in file.Address is null ? [] : (string[])[file.Address, .. file.Mirrors ?? []])
            {
                console.WriteLine($"    {HubAddress.Parse(address)?.At(Hub.FromEnvironment().Endpoint).AbsoluteUri ?? address}");
            }
        }
    }
}
