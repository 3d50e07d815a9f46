import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const SOURCES = ['**/*.ts']
const MAX_COMMENT_LINES = 3

/** Reports `//` comments of more than three lines. Doc comments may be longer if they describe types and errors. */
const shortComments = {
  create: context => {
    const { sourceCode } = context
    const isOwnLine = ({ loc }) => sourceCode.lines[loc.start.line - 1].trim().startsWith('//')
    return {
      Program: () => {
        let length = 0
        let lastLine = 0
        for (const comment of sourceCode.getAllComments()) {
          if (comment.type !== 'Line' || !isOwnLine(comment)) continue
          length = comment.loc.start.line === lastLine + 1 ? length + 1 : 1
          lastLine = comment.loc.start.line
          if (length !== MAX_COMMENT_LINES + 1) continue
          context.report({ loc: comment.loc, message: 'Use at most three lines.' })
        }
      }
    }
  }
}

export default [
  // Prettier checks the layout, and ESLint the code.
  ...neostandard({
    ts: true,
    noStyle: true,
    ignores: ['dist/', 'dist-bench/', 'dist-test/', 'coverage/', '.tap/', 'data/', 'examples/fastify-service/**/*.ts']
  }),
  ...tseslint.configs.strictTypeChecked.map(config => ({ ...config, files: SOURCES })),
  {
    files: SOURCES,
    plugins: { local: { rules: { 'short-comments': shortComments } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A schema and its type share a name. The compiler reports real redeclarations.
      '@typescript-eslint/no-redeclare': 'off',
      // Function properties are checked more strictly than methods, and don't use `this`.
      '@typescript-eslint/method-signature-style': ['error', 'property'],
      // Synchronous SQLite code implements asynchronous interfaces, and Fastify plugins are asynchronous functions.
      '@typescript-eslint/require-await': 'off',
      // `void` marks a promise that isn't awaited.
      'no-void': ['error', { allowAsStatement: true }],
      // Caught errors, whose type is unknown, are passed on unchanged.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // tap runs tests and reports their results even if they aren't awaited.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: '@tapjs/core', name: ['test'] },
            { from: 'package', package: 'tap', name: ['test'] }
          ]
        }
      ],
      'local/short-comments': 'error',
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      // Prettier wraps code. This rule finds long comments, which it doesn't wrap.
      'max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  },
  {
    files: SOURCES,
    ignores: ['test/**', 'bench/**', 'paths.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'MetaProperty', message: 'Use paths.ts, because the path of a module is different in a bundle.' }
      ]
    }
  },
  {
    // Tests read JSON from responses without a type, and check its content.
    files: ['test/**/*.ts'],
    rules: {
      // A test checks one fact, including its setup. A file contains all tests of one subject.
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      // Expected output is on one line, as it's printed.
      'max-len': [
        'error',
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }
      ],
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off'
    }
  }
]
