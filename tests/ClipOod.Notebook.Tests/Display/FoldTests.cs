namespace ClipOod.Notebook.Tests;

public sealed class FoldTests
{
    [Fact]
    public void AFold_HasALineAndWhatItOpens()
    {
        Fold fold = new("Sizes & more", new ResultTable("Table").Count("n", [3]), new Finding($"{2} sentences."));
        Assert.Contains("<summary>Sizes &amp; more</summary>", fold.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("2 sentences.</p></details>", fold.ToHtml(), StringComparison.Ordinal);
        Assert.StartsWith("Sizes & more", fold.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatHasNoHtml_IsRefused()
    {
        Assert.Contains("String has no HTML form", Assert.Throws<ArgumentException>("content", () => new Fold("Line", "text")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("content", () => new Fold("Line"));
    }
}
