import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const SOURCES = ['**/*.ts']

export default [
  // Prettier sets the style; ESLint looks at what the code means.
  ...neostandard({
    ts: true,
    noStyle: true,
    ignores: ['dist/', 'dist-bench/', 'dist-test/', 'coverage/', '.tap/', 'data/']
  }),
  ...tseslint.configs.strictTypeChecked.map(config => ({ ...config, files: SOURCES })),
  {
    files: SOURCES,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A schema and the type that follows from it share a name; the compiler refuses what is really declared twice.
      '@typescript-eslint/no-redeclare': 'off',
      // A function of type `() => void` as a property is checked more strictly than a method, and needs no `this`.
      '@typescript-eslint/method-signature-style': ['error', 'property'],
      // SQLite answers at once behind interfaces that promise, and Fastify's plugins are asynchronous functions.
      '@typescript-eslint/require-await': 'off',
      // Says that nobody waits for a promise.
      'no-void': ['error', { allowAsStatement: true }],
      // What was caught is passed on as it came.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // tap and node:test run what they are given, and tell what becomes of it, whether it is awaited or not.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: '@tapjs/core', name: ['test'] },
            { from: 'package', package: 'tap', name: ['test'] }
          ]
        }
      ],
      // Prettier wraps code; this finds the comments that it leaves alone.
      'max-len': [
        'error',
        { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }
      ]
    }
  },
  {
    // What a test reads from a reply is JSON, and the test is what says what it must be.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off'
    }
  }
]
